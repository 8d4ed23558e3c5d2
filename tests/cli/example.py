"""Configs of experiments: each is listed, written and runs by the command that it names."""

import json
import shlex
import tomllib

from gihflow_testing import SOURCE, DirectoryTest, run

CONFIGS = {path.stem: path for path in SOURCE.glob("experiments/*/*.toml")}


class Example(DirectoryTest):
    def gihflow(self, *words, expect=0):
        return run("gihflow", *words, expect=expect, cwd=self.directory)

    def test_list(self):
        listed = json.loads(self.gihflow("example", "--json").stdout)
        self.assertEqual({e["name"] for e in listed}, set(CONFIGS))
        text = self.gihflow("example").stdout
        for e in listed:
            self.assertRegex(text, rf"(?m)^{e['name']} +\S")
            self.assertTrue((SOURCE / e["folder"]).is_dir())
            self.assertEqual(len(e["summary"].splitlines()), 1, "the first line of a config says what it is")
            self.assertLess(len(e["summary"]), 100)

    def test_each_runs_as_it_says(self):
        for e in json.loads(self.gihflow("example", "--json").stdout):
            with self.subTest(e["name"]):
                said = self.gihflow("example", e["name"]).stdout
                self.assertEqual(said, f"written to {e['name']}.toml; run it with\n  {e['command']}\n")
                self.assertEqual((self.directory / f"{e['name']}.toml").read_text(), CONFIGS[e["name"]].read_text())
                program, command, *words = shlex.split(e["command"])
                self.assertEqual(program, "gihflow")
                self.assertIn(f"{e['name']}.toml", words)
                if command in ("train", "compare"):
                    self.assertEqual(self.gihflow(command, *words, "--dry-run").stderr, "")
                else:
                    self.gihflow(command, *words)

    def test_nothing_is_overwritten(self):
        name = next(iter(CONFIGS))
        self.gihflow("example", name, "-o", "mine.toml")
        (self.directory / "mine.toml").write_text("mine")
        self.assertIn("mine.toml: ", self.gihflow("example", name, "-o", "mine.toml", expect=2).stderr)
        self.assertEqual((self.directory / "mine.toml").read_text(), "mine")
        self.gihflow("example", name, "-o", "mine.toml", "--force")
        self.assertTrue(tomllib.loads((self.directory / "mine.toml").read_text()))

    def test_refusals(self):
        for words, sentence in ((["three_stage"], "three_stage: no such example; the nearest is three_stages"),
                                (["qqqqqqqqq"], "qqqqqqqqq: no such example; gihflow example lists them"),
                                (["three_stages", "more"], "more: unexpected argument of example")):
            self.assertEqual(self.gihflow("example", *words, expect=2).stderr, f"error: {sentence}\n")
        self.assertEqual(list(self.directory.iterdir()), [])
