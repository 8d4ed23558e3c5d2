"""How each source was compiled: the flags on which bitwise repeatability rests, and symbols of the hot loops."""

import json
import os
import re
import shlex
import unittest
from collections import Counter

from gihflow_testing import BUILD, SOURCE, run

FORBIDDEN = re.compile(r"-ffast-math|-Ofast|-funsafe-math.*|-fassociative-math|-march=.*|-mtune=.*|-mcpu=.*")
MACHINE = re.compile(r"-m(avx|sse|fma|bmi|f16c).*")
INSTRUCTION_SETS = {"baseline", "avx2", "avx512"}


def violations(file, words):
    hot = file.endswith(".hot.cpp")
    for word in words:
        if FORBIDDEN.fullmatch(word):
            yield f"{file}: {word}"
        if MACHINE.fullmatch(word) and not hot:
            yield f"{file}: {word} outside the hot-loop files"
    if "-ffp-contract=off" not in words:
        yield f"{file}: no -ffp-contract=off"


class Flags(unittest.TestCase):
    def setUp(self):
        self.commands = [
            (entry["file"], shlex.split(entry["command"]))
            for entry in json.loads((BUILD / "compile_commands.json").read_text())
            if not entry["file"].endswith(".cu")
        ]

    def test_no_flag_changes_arithmetic(self):
        self.assertTrue(self.commands)
        found = [line for file, words in self.commands for line in violations(file, words)]
        self.assertEqual(found, [], "\n" + "\n".join(found))

    def test_catches(self):
        for flags in (["-ffast-math", "-ffp-contract=off"], ["-O3"], ["-mavx2", "-ffp-contract=off"]):
            self.assertTrue(list(violations("x.cpp", flags)), flags)
        self.assertEqual(list(violations("x.hot.cpp", ["-mavx2", "-ffp-contract=off"])), [])

    def test_every_hot_loop_is_compiled_for_every_instruction_set(self):
        hot = {}
        for file, words in self.commands:
            if file.endswith(".hot.cpp"):
                hot.setdefault(file, set()).update(re.findall(r"-DGIHFLOW_ISA=(\w+)", " ".join(words)))
        for file in (SOURCE / "src").rglob("*.hot.cpp"):
            self.assertIn(str(file), hot)
            if os.uname().machine == "x86_64":
                self.assertEqual(hot[str(file)], INSTRUCTION_SETS, file)
            else:
                self.assertEqual(hot[str(file)], {"baseline"}, file)

    def test_hot_loops_are_vector_instructions(self):
        """What the engine for AVX2 and for AVX-512 does with eight lanes at once: products, sums and conversions of counts
        in whole registers, and glibc's vector exp and log. AVX-512 converts counts by way of 64 bits, without a shuffle."""
        if os.environ.get("GIHFLOW_BUILD_TYPE") != "Release" or os.uname().machine != "x86_64":
            self.skipTest("only an optimised build for x86-64 has them")
        for isa, register, suffix, conversion in (("avx2", "ymm", "dN4v", "vcvtdq2pd"),
                                                  ("avx512", "zmm", "eN8v", "vcvtqq2pd")):
            words = next(words for file, words in self.commands
                         if file.endswith("/segment.hot.cpp") and f"-DGIHFLOW_ISA={isa}" in words)
            output = BUILD / words[words.index("-o") + 1]
            if "clang" not in words[0]:
                undefined = run("nm", "--undefined-only", output).stdout
                for function in ("exp", "log"):
                    self.assertIn(f"_ZGV{suffix}_{function}", undefined)
            found = Counter()
            inside = False
            for line in run("objdump", "-dC", "--no-show-raw-insn", output).stdout.splitlines():
                if line.endswith(">:"):
                    eight = f"gihflow::{isa}::Types<double, gihflow::{isa}::Pack"
                    inside = "unsigned char" in line and any(
                        start + eight in line
                        for start in (f"{isa}::block_of_paper_sizes<gihflow::{isa}::Relative, ", f"{isa}::tiles<"))
                elif inside and register in line:
                    found[line.split("\t")[1].split()[0]] += 1
            # Forward: an unrolled pair and a rest; backward: one; as many of each as a pack has registers.
            for instruction in ("vmulpd", "vaddpd", conversion):
                self.assertGreaterEqual(found[instruction], 4, f"{isa}: {instruction} {register}")

    def test_hot_loops_export_nothing_shared(self):
        """A weak symbol that two instruction sets define alike, such as a std::vector member that was not inlined,
        would be linked once for all: an AVX-512 copy could end up in the baseline engine."""
        if os.environ.get("GIHFLOW_BUILD_TYPE") != "Release":
            self.skipTest("only an optimised build inlines what it should")
        for file, words in self.commands:
            isa = re.findall(r"-DGIHFLOW_ISA=(\w+)", " ".join(words))
            if not file.endswith(".hot.cpp") or not isa:
                continue
            output = BUILD / words[words.index("-o") + 1]
            for line in run("nm", "-C", "--defined-only", "--extern-only", output).stdout.splitlines():
                symbol = line.split(maxsplit=2)[2]
                self.assertIn(f"gihflow::{isa[0]}::", symbol, f"{output} defines it for everyone")
