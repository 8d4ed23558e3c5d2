"""What the program says of itself, and what it says to a command line that is no good."""

import re
import unittest

from gihflow_testing import DirectoryTest, run

COMMANDS = ("sample", "train", "evaluate", "show")


class Usage(DirectoryTest):
    def gihflow(self, *words, expect=0):
        return run("gihflow", *words, expect=expect, cwd=self.directory)

    def errors(self, *words):
        """The sentences that a refused command line gets, without "error: "."""
        done = self.gihflow(*words, expect=2)
        self.assertEqual(done.stdout, "")
        self.assertEqual(list(self.directory.iterdir()), [])
        lines = done.stderr.splitlines()
        for line in lines:
            self.assertTrue(line.startswith("error: "), line)
        return [line.removeprefix("error: ") for line in lines]

    def test_help(self):
        for words in (["--help"], ["-h"], *([command, "--help"] for command in COMMANDS)):
            with self.subTest(words):
                text = self.gihflow(*words).stdout
                self.assertTrue(all(len(line) <= 100 for line in text.splitlines()), text)
        text = self.gihflow("--help").stdout
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", text)

    def test_help_states_every_default(self):
        text = self.gihflow("train", "--help").stdout
        for option in re.findall(r"^  (?:-\w, )?--([\w-]+) \S", text, re.MULTILINE):
            if option in ("config",):
                continue
            entry = re.search(rf"--{option} .*?(?=\n  \S|\n  -|\n\n|\Z)", text, re.DOTALL)[0]
            self.assertIn("default", entry, option)

    def test_no_command(self):
        """Three commands to try, each of which runs, the second on what the first wrote."""
        done = self.gihflow(expect=2)
        self.assertIn("Usage: gihflow COMMAND", done.stderr)
        commands = re.findall(r"^  (gihflow .*?)  ", done.stderr, re.MULTILINE)
        self.assertEqual(len(commands), 3)
        for command in commands:
            self.gihflow(*command.split()[1:])
        self.assertEqual(done.stdout, "")

    def test_version(self):
        text = self.gihflow("--version").stdout
        for word in ("gihflow ", "commit", "compiler", "engines", "instruction set", "HDF5", "same bits"):
            self.assertIn(word, text)

    def test_errors_of_usage(self):
        cases = {
            ("trian",): "trian: no such command; the nearest is train",
            ("qqqqqqqq",): "qqqqqqqq: no such command; see gihflow --help",
            ("train", "--alhpa", "0.3"): "--alhpa: train has no such option; the nearest is --alpha",
            ("train", "--alhpa=0.3"): "--alhpa: train has no such option; the nearest is --alpha",
            ("sample", "--rtol", "1"): "--rtol: sample has no such option; see gihflow sample --help",
            ("train", "word"): "word: unexpected argument of train",
            ("--quiet", "train"): "--quiet: must come after the command",
            ("train", "--alpha"): "--alpha: must be followed by a finite number above 0",
            ("train", "--config"): "--config: must be followed by the path of a file",
            ("train", "--seed", "1", "--seed", "2"): "--seed is given 2 times: must be given once",
            ("show",): "show: must be followed by the path of a run file",
            ("show", "nowhere.h5"): "nowhere.h5: no such file",
            ("train", "--config", "nowhere.toml"): "--config nowhere.toml: no such file",
        }
        for words, sentence in cases.items():
            with self.subTest(words):
                self.assertEqual(self.errors(*words), [sentence])

    def test_refused_values(self):
        cases = {
            ("--threads", "0"): "--threads 0: must be an integer from 1 to 1024",
            ("--chains", "0"): "--chains 0: must be an integer of at least 1 and below 2^63",
            ("--rtol", "0"): "--rtol 0: must be a finite number of at least 1e-16",
            ("--rtol", "1e-17"): "--rtol 1e-17: must be a finite number of at least 1e-16",
            ("--alpha", "many"): "--alpha many: must be a finite number above 0",
            ("--boundary", "open"): "--boundary open: must be masked or partial",
            ("--floor", "0.5"): "--floor 0.5: must be at least 0 and below 1/--vocabulary = 0.3333333333333333",
            ("--length", "3"): "--length 3: must exceed the widest lag, 3, with --boundary masked",
            ("-o", "nowhere/run.h5"): None,
        }
        for words, sentence in cases.items():
            with self.subTest(words):
                found = self.errors("train", *words)
                self.assertEqual(len(found), 1)
                if sentence:
                    self.assertEqual(found, [sentence])

    def test_device(self):
        text = run("gihflow", "--version").stdout
        found = self.errors("train", "--device", "cuda", "--dry-run") if ", card " not in text else None
        if "built without CUDA" in text:
            self.assertEqual(found, ["--device cuda: must be cpu or auto, since this program was built without CUDA"])
        elif found is not None:
            self.assertEqual(len(found), 1)
            self.assertRegex(found[0], "^--device cuda: must be cpu or auto, since .*NVIDIA")

    def test_every_error_at_once(self):
        (self.directory / "empty").mkdir()
        done = run("gihflow", "train", "--alhpa", "1", "--rtol", "0", "--stages", "c:0,ww:1,a", "--labels", "posterior",
                   "--data", "nowhere.h5", "-o", "empty", expect=2, cwd=self.directory)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 7, done.stderr)
        for start in ("--alhpa:", "--rtol 0:", "--stages: 'c:0'", "--stages: 'ww:1'", "--stages: 'a'", "nowhere.h5:",
                      "--output empty:"):
            self.assertEqual(sum(line.startswith("error: " + start) for line in lines), 1, start)

    def test_faults_of_words_and_of_values_come_at_once(self):
        self.assertEqual(sorted(self.errors("train", "--quiet=1", "--alpha", "0", "--force=yes", "--alhpa=1", "-o")), [
            "--alhpa: train has no such option; the nearest is --alpha",
            "--alpha 0: must be a finite number above 0",
            "--force: takes no value",
            "--output: must be followed by the path of a file, in UTF-8",
            "--quiet: takes no value",
        ])

    def test_names_that_begin_with_a_dash(self):
        self.assertEqual(self.errors("show", "--", "-x.h5"), ["-x.h5: no such file"])
        self.assertEqual(self.errors("diff", "--", "-x.h5", "--y.h5"), ["-x.h5: no such file"])
        self.assertEqual(self.errors("train", "--", "-x"), ["-x: unexpected argument of train"])

    def test_an_empty_config_is_a_config(self):
        (self.directory / "empty.toml").write_text("")
        self.assertIn("9000 of length 100", self.gihflow("train", "--config", "empty.toml", "--dry-run").stdout)

    def test_config_faults(self):
        config = self.directory / "c.toml"
        config.write_text('alhpa = 1\nrtol = "x"\nchains = 0\n')
        done = self.gihflow("train", "--config", "c.toml", expect=2)
        self.assertEqual(done.stderr.splitlines(), [
            "error: c.toml: unknown key alhpa; the nearest key is alpha",
            "error: c.toml: chains 0: must be an integer of at least 1 and below 2^63",
            "error: c.toml: rtol \"x\": must be a finite number of at least 1e-16",
        ])

    def test_words_that_are_not_utf8(self):
        """What a file could not say of itself is refused as a path, and told in escapes elsewhere."""
        latin = "caf\udce9"  # the byte e9
        done = run("gihflow", "train", "-o", f"{latin}.h5", expect=2, cwd=self.directory, errors="surrogateescape")
        self.assertEqual(done.stderr, f"error: --output {latin}.h5: must be the path of a file, in UTF-8\n")
        (self.directory / f"{latin}.toml").write_text("chains = 20\n")
        run("gihflow", "train", "--config", f"{latin}.toml", "--stages", "c:1", cwd=self.directory)
        text = run("gihflow", "show", "run.h5", cwd=self.directory).stdout
        self.assertIn(r"gihflow train --config $'caf\xe9.toml' --stages c:1", text)


if __name__ == "__main__":
    unittest.main()
