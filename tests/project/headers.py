"""Every header compiles alone: a public one as its user sees it, a private one as its room does."""

import json
import os
import shlex
import unittest
from concurrent.futures import ThreadPoolExecutor

from gihflow_testing import BUILD, SOURCE, cmake_cache, files, run

STRICT = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


def compile_alone(compiler, flags, include):
    text = f"#include {include}\n#include {include}\n"
    done = run(compiler, *flags, "-fsyntax-only", "-x", "c++", "-", input=text, expect=None)
    return None if done.returncode == 0 else f"{include} does not compile alone:\n{done.stderr}"


def without_output(words):
    """The flags of a compile command: no compiler, no output, no input."""
    flags, words = [], iter(words[1:])
    for word in words:
        if word in ("-o", "-c", "-MF", "-MT"):
            next(words)
        elif word != "-MD":
            flags.append(word)
    return flags


class Headers(unittest.TestCase):
    def setUp(self):
        self.compiler = cmake_cache("CMAKE_CXX_COMPILER")
        self.commands = {
            entry["file"]: without_output(shlex.split(entry["command"]))
            for entry in json.loads((BUILD / "compile_commands.json").read_text())
        }

    def room_flags(self, path):
        """Flags of some source beside a private header; those of a hot-loop source if it is for one alone."""
        text = (SOURCE / path).read_text()
        hot = "GIHFLOW_ISA" in text and '"gihflow/' not in text
        for file, flags in self.commands.items():
            if file.startswith(f"{SOURCE / path.parent}/") and file.endswith(".hot.cpp") == hot:
                return flags
        return None

    def test_each_header_compiles_alone(self):
        public = [*STRICT, f"-I{SOURCE / 'include'}"]
        jobs = []
        for path in files("include/gihflow", suffixes={".hpp"}):
            jobs.append((public, f"<{path.relative_to('include')}>"))
        self.assertGreater(len(jobs), 10)
        for path in files("src", suffixes={".hpp"}):
            flags = self.room_flags(path)
            if flags is not None:  # a room without sources yet
                jobs.append((flags, f'"{path.relative_to("src")}"'))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            errors = [error for error in pool.map(lambda job: compile_alone(self.compiler, *job), jobs) if error]
        self.assertEqual(errors, [], "\n" + "\n".join(errors))

    def test_catches(self):
        self.assertIsNone(compile_alone(self.compiler, STRICT, "<vector>"))
        self.assertIn("does not compile alone", compile_alone(self.compiler, STRICT, "<bits/stl_vector.h>"))
