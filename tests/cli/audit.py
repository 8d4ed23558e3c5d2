"""`audit`: a stretch of a recorded run computed again; what it picks, prints and finds."""

import json
import unittest

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, run

SMALL = ("--chains", "30", "--validation-chains", "5", "--length", "20", "--stages", "c:50,w:20", "--outputs", "8")


class Audit(DirectoryTest):
    def setUp(self):
        super().setUp()
        run("gihflow", "train", *SMALL, cwd=self.directory)

    def audit(self, *options, expect=0):
        return run("gihflow", "audit", "run.h5", *options, cwd=self.directory, expect=expect)

    def test_one_stretch_at_random(self):
        before = (self.directory / "run.h5").read_bytes()
        picked = set()
        for _ in range(8):
            found = json.loads(self.audit("--json").stdout)
            self.assertTrue(found["passed"])
            (one,) = found["audited"]
            picked.add(one["stretch"])
            self.assertTrue(1 <= one["stretch"] <= found["stretches"])
        self.assertGreater(len(picked), 1)  # fails by chance once in 10^8, with 15 stretches or more
        self.assertEqual((self.directory / "run.h5").read_bytes(), before)
        self.assertEqual(len(list(self.directory.iterdir())), 1)

    def test_all_stretches_are_the_run(self):
        found = json.loads(self.audit("--all", "--json", "--threads", "1").stdout)
        self.assertEqual(len(found["audited"]), found["stretches"])
        self.assertGreaterEqual(found["stretches"], 15)
        with h5py.File(self.directory / "run.h5") as file:
            for k in (1, 2):
                of_stage = [s for s in found["audited"] if s["stage"] == k]
                self.assertEqual(of_stage[0]["begin"], 0)
                self.assertEqual([s["end"] for s in of_stage[:-1]], [s["begin"] for s in of_stage[1:]])
                stage = file[f"stage_{k}"]
                self.assertEqual(of_stage[-1]["end"], stage.attrs["duration"])
                self.assertEqual(sum(s["rhs_evaluations"] for s in of_stage), stage.attrs["rhs_evaluations"])
                self.assertEqual(sum(s["outputs"] for s in of_stage), len(stage["t"]))

    def test_stretch_by_time(self):
        for t in (0.0, 7.5, 20.0):
            (one,) = json.loads(self.audit("--stage", "2", "--from", str(t), "--json").stdout)["audited"]
            self.assertEqual(one["stage"], 2)
            self.assertTrue(one["begin"] <= t <= one["end"])
        text = self.audit("--stage", "1", "--all").stdout
        self.assertNotIn("FAIL", text)
        self.assertIn("PASS", text)

    def test_what_it_refuses(self):
        self.assertEqual(self.audit("--from", "3", expect=2).stderr, "error: --from 3: must be beside --stage\n")
        self.assertEqual(self.audit("--stage", "3", expect=2).stderr,
                         "error: --stage 3: must be a stage in which run.h5 has taken a step\n")
        self.assertEqual(self.audit("--stage", "2", "--from", "21", expect=2).stderr,
                         "error: --from 21: must be from 0 to 20, where stage 2 has come\n")
        self.assertEqual(self.audit("--stage", "2", "--from", "1", "--all", expect=2).stderr,
                         "error: --all: must be left out beside --from\n")

    def test_a_forged_trajectory_is_found(self):
        """Numbers edited together with the hash of the file: only computing again tells."""
        config = run("gihflow", "show", "run.h5", "--config", cwd=self.directory).stdout
        run("gihflow", "train", *SMALL, "--rtol", "2e-6", "-o", "forged.h5", cwd=self.directory)
        with h5py.File(self.directory / "forged.h5", "r+") as file:
            file.attrs["config"] = config
        (self.directory / "forged.h5").rename(self.directory / "run.h5")
        done = self.audit("--all", expect=1)
        self.assertIn("FAIL", done.stdout)
        self.assertRegex(done.stdout, r"stretch \d+: other bits first in \w+")

    def test_another_program_is_told(self):
        with h5py.File(self.directory / "run.h5", "r+") as file:
            file.attrs["git_commit"] = "0123abc"
            file["execution"].attrs["instruction_set"] = "baseline-of-old"
        done = self.audit()
        self.assertIn("(commit 0123abc)", done.stderr)
        self.assertIn("instruction set baseline-of-old", done.stderr)
        self.assertEqual(self.audit("--quiet").stderr, "")

    def test_given_data_are_read_again(self):
        run("gihflow", "sample", "-o", "d.h5", "--chains", "20", cwd=self.directory)
        run("gihflow", "train", "--data", "d.h5", "--stages", "a:20", "--force", cwd=self.directory)
        self.audit("--all")
        (self.directory / "d.h5").rename(self.directory / "moved.h5")
        self.assertIn("d.h5: no such file; if it has moved, give --data", self.audit(expect=2).stderr)
        self.audit("--all", "--data", "moved.h5")
        (self.directory / "moved.h5").rename(self.directory / "d.h5")
        with h5py.File(self.directory / "d.h5", "r+") as file:
            tokens = file["tokens"][()]
            file["tokens"][...] = np.roll(tokens, 1, axis=0)
        self.assertIn("attribute tokens_hash", self.audit(expect=2).stderr)
        with h5py.File(self.directory / "d.h5", "r+") as file:
            del file.attrs["tokens_hash"]
        self.assertIn("the training chains have the hash", self.audit(expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
