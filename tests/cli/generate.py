"""Manual pages and completions: all that the help says is in them, and real shells complete by them."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

from gihflow_testing import BUILD, DirectoryTest, cmake_cache, run

KINDS = ("bash", "zsh", "fish")


def helps():
    """{command: {option: (letter, value, choices)}} and {command: summary}, as the help says."""
    text = run("gihflow", "--help").stdout
    block = text.split("Commands:\n")[1].split("\n\n")[0]
    summaries = dict(re.findall(r"^  (\S+) +(\S.*)$", block, re.MULTILINE))
    options = {}
    for command in summaries:
        options[command] = {}
        for line in run("gihflow", command, "--help").stdout.splitlines():
            found = re.match(r"  (?:-(\w), )?--([\w-]+)(?: (\S+))?(?:  +(\S.*))?$", line)
            if found:
                letter, name, value, text = (part or "" for part in found.groups())
                options[command][name] = letter, value, text
            elif re.match(" {20,}", line):
                letter, value, text = options[command][name]
                options[command][name] = letter, value, f"{text} {line.strip()}"
        for name, (letter, value, text) in options[command].items():
            choices = re.search(r"\(((?:[\w-]+, )*[\w-]+ or [\w-]+); default", text)
            options[command][name] = letter, value, tuple(re.split(", | or ", choices[1])) if choices else ()
    return options, summaries


OPTIONS, SUMMARIES = helps()


def candidates_of_bash(script, words, cwd):
    """What bash offers for the last of the words."""
    array = " ".join(f"'{word}'" for word in words)
    return run("bash", "--norc", "-c", f"source {script}; COMP_WORDS=({array}); COMP_CWORD={len(words) - 1}; _gihflow; "
               'printf "%s\\n" "${COMPREPLY[@]}"', cwd=cwd).stdout.split()


def candidates_of_fish(script, words, cwd):
    out = run("fish", "--no-config", "-c", f"source {script}; complete -C '{' '.join(words)}'", cwd=cwd,
              env=dict(os.environ, HOME=str(cwd), XDG_DATA_HOME=str(cwd / "fish"))).stdout
    return [line.split("\t")[0] for line in out.splitlines()]


class Terminal:
    """An interactive zsh in a terminal of its own, in which `gihflow` prints its words."""

    def __init__(self, script, cwd):
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.chdir(cwd)
            os.execvpe("zsh", ["zsh", "-f", "-i"], dict(os.environ, TERM="dumb", PS1="> "))
        self.ask(f"unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -D -u; source {script}; "
                 "zstyle ':completion:*' menu no; gihflow() { print -r -- \"RAN<$*>\" }; print READ'Y'", "READY")

    def ask(self, typed, until):
        os.write(self.terminal, typed.encode() + b"\n")
        text, end = "", time.monotonic() + 20
        while until not in text.replace("'Y'", ""):
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"no answer to {typed!r}: {text!r}")
            text += os.read(self.terminal, 4096).decode(errors="replace")
        return text

    def completed(self, typed):
        """The words that gihflow gets when every tab completes."""
        return re.findall(r"RAN<(.*?)>", self.ask(typed, "RAN<"))[-1]

    def close(self):
        os.close(self.terminal)
        os.waitpid(self.process, 0)


class Generate(DirectoryTest):
    def setUp(self):
        super().setUp()
        self.script = {}
        for kind in KINDS:
            self.script[kind] = self.directory / f"completion.{kind}"
            self.script[kind].write_text(run("gihflow", "--generate", kind).stdout)
        for name in ("one.h5", "two.h5", "c.toml", "other.txt"):
            (self.directory / name).write_text("")
        (self.directory / "folder").mkdir()

    def need(self, shell):
        if not shutil.which(shell):
            self.skipTest(f"{shell} is not installed")

    def test_the_help_was_read(self):
        self.assertGreater(len(SUMMARIES), 10)
        self.assertEqual(OPTIONS["train"]["output"][:2], ("o", "FILE"))
        self.assertEqual(OPTIONS["train"]["readout"][2], ("log", "softmax"))
        self.assertEqual(OPTIONS["train"]["force"][1], "")
        self.assertIn("vocabulary", OPTIONS["rank"])

    def test_manual_has_every_option_and_command(self):
        text = run("gihflow", "--generate", "man").stdout.replace("\\-", "-")
        for command, summary in SUMMARIES.items():
            self.assertIn(f"\\fBgihflow-{command}\\fR(1)\n{summary}\n", text)
            page = run("gihflow", "--generate", "man", command).stdout.replace("\\-", "-")
            self.assertIn(f"gihflow-{command} - {summary}\n", page)
            terms = re.findall(r"\.TP\n(?:\\fB-(\w)\\fR, )?\\fB--([\w-]+)\\fR(?: \\fI(.*?)\\fR)?\n", page)
            wanted = {(name, letter, value) for name, (letter, value, _) in OPTIONS[command].items() if name != "help"}
            self.assertEqual({(name, letter, value) for letter, name, value in terms}, wanted, command)
            for name, (_, _, choices) in OPTIONS[command].items():
                entry = page.partition(f"\\fB--{name}\\fR")[2].partition(".TP")[0]
                self.assertTrue(all(choice in entry for choice in choices), (command, name))

    def test_manual_is_good_roff(self):
        self.need("man")
        for command in ("", *SUMMARIES):
            page = self.directory / "page.1"
            page.write_text(run("gihflow", "--generate", "man", *filter(None, [command])).stdout)
            done = run("man", "-l", "--warnings", page, env=dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="80"))
            self.assertEqual(done.stderr, "")
            self.assertIn("EXIT STATUS", done.stdout)
            self.assertLess(max(map(len, done.stdout.splitlines())), 82)

    def test_bash(self):
        script = self.script["bash"]
        at = lambda *words: candidates_of_bash(script, ("gihflow", *words), self.directory)
        self.assertEqual(run("bash", "-n", script).stderr, "")
        self.assertEqual(at("tr"), ["train"])
        self.assertEqual(set(at("")) & set(SUMMARIES), set(SUMMARIES))
        for command, options in OPTIONS.items():
            self.assertEqual({w for w in at(command, "--") if w.startswith("--")},
                             {f"--{name}" for name in options} | {"--help"}, command)
        for name, (_, _, choices) in OPTIONS["train"].items():
            if choices:
                self.assertEqual(at("train", f"--{name}", ""), list(choices), name)
                self.assertEqual(at("train", f"--{name}", "=", ""), list(choices), name)
        self.assertEqual(set(at("show", "")), {"one.h5", "two.h5", "folder"})
        self.assertEqual(set(at("train", "--config", "")), {"one.h5", "two.h5", "c.toml", "folder"})
        self.assertEqual(at("train", "--alpha", ""), [])
        self.assertEqual(at("--generate", "z"), ["zsh"])

    def test_fish(self):
        self.need("fish")
        script = self.script["fish"]
        at = lambda *words: candidates_of_fish(script, ("gihflow", *words), self.directory)
        self.assertEqual(run("fish", "--no-execute", script).stderr, "")
        self.assertEqual(set(at("")), set(SUMMARIES))
        for command, options in OPTIONS.items():
            self.assertEqual({w for w in at(command, "--") if w.startswith("--")},
                             {f"--{name}" for name in options} | {"--help"}, command)
        for name, (_, _, choices) in OPTIONS["train"].items():
            if choices:
                self.assertEqual(sorted(at("train", f"--{name}", "")), sorted(choices), name)
        self.assertLessEqual({"one.h5", "two.h5"}, set(at("show", "")))
        self.assertEqual(at("train", "--config", "c")[0], "c.toml", "its suffixes come first")

    def test_zsh(self):
        self.need("zsh")
        text = self.script["zsh"].read_text()
        self.assertEqual(run("zsh", "-n", self.script["zsh"]).stderr, "")
        for command, options in OPTIONS.items():
            body = text.partition(f"    {command}) _arguments")[2].partition(" ;;")[0]
            self.assertEqual(set(re.findall(r"\)--([\w-]+)=?\[", body)), set(options) | {"help"}, command)
        zsh = Terminal(self.script["zsh"], self.directory)
        self.addCleanup(zsh.close)
        self.assertEqual(zsh.completed("gihflow tra\t--reado\ts\t"), "train --readout=softmax")
        self.assertEqual(zsh.completed("gihflow train --readout s\t"), "train --readout softmax")
        self.assertEqual(zsh.completed("gihflow show o\t"), "show one.h5")
        self.assertEqual(zsh.completed("gihflow train --config c\t"), "train --config c.toml")
        self.assertEqual(zsh.completed("gihflow --gen\tfi\t"), "--generate=fish")

    def test_refusals(self):
        for words, sentence in ((("tcsh",), "--generate tcsh: must be man, bash, zsh or fish"),
                                (("bash", "train"), "--generate bash: is for all commands; leave out train"),
                                (("man", "trian"), "trian: no such command; the nearest is train"),
                                ((), "--generate: must be followed by a value")):
            self.assertEqual(run("gihflow", "--generate", *words, expect=2).stderr, f"error: {sentence}\n")

    def test_words_without_use(self):
        for words, unused, option in ((("--generate", "man", "train", "extra"), ("extra",), "--generate"),
                                      (("--generate", "man", "train", "--chains", "7"), ("--chains", "7"), "--generate"),
                                      (("--version", "extra"), ("extra",), "--version")):
            self.assertEqual(run("gihflow", *words, expect=2).stderr,
                             "".join(f"error: {word}: unexpected argument of {option}\n" for word in unused))

    def test_installed_where_systems_look(self):
        prefix = self.directory / "prefix"
        run(cmake_cache("CMAKE_COMMAND"), "--install", BUILD, "--prefix", prefix, "--component", "program")
        self.assertEqual({path.name for path in (prefix / "share/man/man1").iterdir()},
                         {"gihflow.1"} | {f"gihflow-{command}.1" for command in SUMMARIES})
        for kind, place in (("bash", "bash-completion/completions/gihflow"), ("zsh", "zsh/site-functions/_gihflow"),
                            ("fish", "fish/vendor_completions.d/gihflow.fish")):
            self.assertEqual((prefix / "share" / place).read_text(), self.script[kind].read_text())
        if shutil.which("man"):
            found = subprocess.run(["man", "-w", "gihflow-train"], capture_output=True, text=True,
                                   env=dict(os.environ, MANPATH=str(prefix / "share/man")))
            self.assertEqual(found.stdout.strip(), str(prefix / "share/man/man1/gihflow-train.1"), found.stderr)


if __name__ == "__main__":
    unittest.main()
