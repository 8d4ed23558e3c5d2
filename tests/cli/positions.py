"""--positions all on the command line: the mean over prefixes that are files of their own, runs that go on, and refusals."""

import json
import unittest

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, run

ALL = ("--positions", "all")
SMALL = ("--chains", "40", "--validation-chains", "10", "--length", "30", "--stages", "c:20,w:20,a:20", "--outputs", "4")


class Positions(DirectoryTest):
    def gihflow(self, *words, expect=0):
        return run("gihflow", *words, expect=expect, cwd=self.directory)

    def json(self, *words):
        return json.loads(self.gihflow(*words, "--json").stdout)

    def test_the_loss_is_the_mean_over_prefixes(self):
        self.gihflow("sample", "--chains", "12", "--length", "15", "--labels", "sampled", "-o", "all.h5")
        with h5py.File(self.directory / "all.h5") as file:
            tokens = file["tokens"][()]
        point = ("--a-init", "2", "--c-init", "0.5")
        for preset, shortest in (("paper", 4), ("reference", 1)):
            losses, right = [], []
            for length in range(shortest, 16):
                with h5py.File(self.directory / "prefix.h5", "w") as file:
                    file.attrs["vocabulary_size"] = 3
                    file["tokens"] = tokens[:, :length + 1]
                found = self.json("evaluate", "--data", "prefix.h5", "--preset", preset, *point)
                losses.append(found["loss"])
                right.append(found["accuracy"])
            found = self.json("evaluate", "--data", "all.h5", "--preset", preset, *point, *ALL)
            self.assertAlmostEqual(found["loss"], np.mean(losses), delta=1e-13)
            self.assertAlmostEqual(found["accuracy"], np.mean(right), delta=1e-13)

    def test_data_of_a_run_are_the_run(self):
        given = (*SMALL, *ALL, "--labels", "sampled")
        self.gihflow("train", *given, "-o", "drawn.h5")
        for purpose in ("train", "validation"):
            self.gihflow("sample", "--config", "drawn.h5", "--purpose", purpose, "-o", f"{purpose}.h5")
        self.gihflow("train", *SMALL[6:], *ALL, "--data", "train.h5", "--validation-data", "validation.h5", "-o", "given.h5")
        with h5py.File(self.directory / "drawn.h5") as drawn, h5py.File(self.directory / "given.h5") as given:
            self.assertEqual(drawn.attrs["tokens_hash"], given.attrs["tokens_hash"])
            for name in ("stage_3/loss", "stage_3/validation_loss", "stage_3/a", "accuracy/training"):
                if name in drawn:
                    np.testing.assert_array_equal(drawn[name], given[name], name)

    def test_runs_go_on_and_say_what_they_are(self):
        given = (*SMALL, *ALL)
        self.gihflow("train", *given, "-o", "whole.h5")
        self.assertIn('positions = "all"', self.gihflow("show", "--config", "whole.h5").stdout)
        self.gihflow("train", *given, "--max-steps", "5", "-o", "parted.h5", expect=None)
        self.gihflow("train", "--resume", "parted.h5", "--max-steps", "1000000")
        with h5py.File(self.directory / "whole.h5") as whole, h5py.File(self.directory / "parted.h5") as parted:
            np.testing.assert_array_equal(whole["stage_3/loss"], parted["stage_3/loss"])
        self.gihflow("audit", "whole.h5", "--all")
        checked = json.loads(self.gihflow("check", "whole.h5", "--fresh-chains", "50", "--json", expect=None).stdout)
        self.assertEqual(len(checked["results"]), 1)
        said = self.json("predict", "--chains", "40", "--length", "30", *ALL)["predictions"]
        asked_once = self.json("predict", "--chains", "40", "--length", "30")["predictions"]
        times = [next(line["trained"] for line in lines if line["name"] == "takeover_time") for lines in (said, asked_once)]
        self.assertNotEqual(*times)

    def test_what_has_one_question_alone(self):
        for words, sentence in ((("--task", "recall"), "--positions all: must be last with --task recall"),
                                (("--query", "uniform"), "--positions all: must be last with --query uniform")):
            self.assertIn(sentence, self.gihflow("train", *words, *ALL, expect=2).stderr)
        said = self.gihflow("evaluate", "--chains", "5", "--context", "infinite", *ALL).stderr
        self.assertIn("--positions has no effect: --context infinite has no sequences", said)
        self.assertIn("--positions first: must be last or all", self.gihflow("train", "--positions", "first", expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
