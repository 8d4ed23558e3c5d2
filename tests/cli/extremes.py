"""Settings at the edge of what doubles hold: a trajectory, or an outcome with a hint that names the worst component and
what to try, with what was computed kept in a file that opens; never a NaN that is not said."""

import json
import unittest

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, run

SMALL = ("--chains", "40", "--validation-chains", "20", "--length", "50")


class Extremes(DirectoryTest):
    def train(self, *options, expect=0):
        run("gihflow", "train", *SMALL, *options, "--quiet", "--force", "-o", "run.h5", expect=expect, cwd=self.directory)
        return json.loads(run("gihflow", "show", "run.h5", "--json", cwd=self.directory).stdout)

    def test_failures_have_a_hint_and_keep_what_was_computed(self):
        at_start = "the gradient is not finite at the stage's start, in "
        cases = {
            # options: exit code, outcome, what the hint of the last stage says, stages recorded
            ("--stages", "c:1", "--c-init", "1e-320"): (3, "non_finite", [at_start + "θ{", "log C_D = "], 1),
            ("--stages", "c:1", "--a-init", "1e300"): (3, "non_finite", [at_start, "a = 1e+300: start from"], 1),
            ("--max-steps", "5"): (5, "step_limit", ["5 steps of this stage", "limited by the accuracy of ", "loosen the relative tolerance"], 1),
            ("--stages", "c:10,w:10,a:10", "--max-steps", "24"): (5, "step_limit", ["limited by the accuracy of "], 3),
            ("--stages", "cwa:50000", "--integrator", "dopri5", "--max-steps", "4000"):
                (5, "step_limit", ["limited by stability, not by accuracy: use a stiff integrator"], 1),
        }
        for options, (code, outcome, hints, stages) in cases.items():
            with self.subTest(options):
                found = self.train(*options, expect=code)
                self.assertEqual(found["outcome"], outcome)
                self.assertEqual(len(found["stages"]), stages)
                for hint in hints:
                    self.assertIn(hint, found["stages"][-1]["hint"])
                with h5py.File(self.directory / "run.h5") as f:
                    for k in range(stages):
                        self.assertGreaterEqual(len(f[f"stage_{k + 1}/t"]), 1)
                        for name in ("c", "log_c_squared", "w", "a"):
                            self.assertTrue(np.isfinite(f[f"stage_{k + 1}/{name}"][:]).all(), name)

    def test_what_can_be_computed_is(self):
        with h5py.File(self.directory / "kernels.h5", "w") as f:
            f.attrs["parents"] = [1]
            absorbing = [[1, 0, 0], [0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]
            sinks = [[1, 0, 0], [0.4, 0.2, 0.4], [0, 0, 1]]
            f["kernels"] = np.array([absorbing, sinks] * 20)
        with h5py.File(self.directory / "bits.h5", "w") as f:
            f.attrs["parents"] = [1, 2]
            rows = np.eye(2)[np.array([[0, 1, 1, 0], [1, 0, 0, 1], [0, 0, 1, 1], [0, 1, 0, 1]] * 10)]
            f["kernels"] = rows
        given = ("--initial-law", "uniform", "--kernels")
        cases = (
            ("--alpha", "0.01"),
            ("--alpha", "1e-8"),
            (*given, "kernels.h5"),
            (*given, "bits.h5"),
            ("--a-init", "1000", "--stages", "c:10,w:10,a:10"),
            ("--w-own", "1000", "--w-other", "-1000", "--stages", "c:10,w:10,a:10"),
            ("--c-init", "1e150", "--stages", "c:10,a:10"),
        )
        for options in cases:
            with self.subTest(options):
                found = self.train(*options)
                for stage in found["stages"]:
                    self.assertEqual(stage["outcome"], "reached")
                    for name in ("loss", "validation_loss", "energy_residual"):
                        self.assertIsNotNone(stage[name], name)
                    self.assertLess(stage["energy_residual"], 1e-4)
                with h5py.File(self.directory / "run.h5") as f:
                    for k in range(len(found["stages"])):
                        for name in ("log_c_squared", "p", "w", "attention", "a", "loss", "gradient_norm"):
                            self.assertTrue(np.isfinite(f[f"stage_{k + 1}/{name}"][:]).all(), name)

    def test_two_closed_classes_have_no_stationary_law(self):
        with h5py.File(self.directory / "kernels.h5", "w") as f:
            f.attrs["parents"] = [1]
            f["kernels"] = np.array([np.eye(2)])
        done = run("gihflow", "train", "--kernels", "kernels.h5", expect=2, cwd=self.directory)
        self.assertIn("closed class", done.stderr)
        self.assertEqual(done.stderr.count("error: "), 1)
        self.assertFalse((self.directory / "run.h5").exists())

    def test_an_infinite_loss_is_said(self):
        """With epsilon 0 a label that its context lacks costs infinity; it has no part in the gradient."""
        found = self.train("--epsilon", "0", "--stages", "c:10,a:10")
        for stage in found["stages"]:
            self.assertEqual(stage["outcome"], "reached")
            self.assertIsNone(stage["loss"])
            self.assertIsNone(stage["energy_residual"])
        self.assertTrue(all(np.isfinite(found["final"]["p"])))
        self.assertIn("the loss is infinite", run("gihflow", "show", "run.h5", cwd=self.directory).stdout)
        with h5py.File(self.directory / "run.h5") as f:
            self.assertTrue(np.isposinf(f["stage_1/loss"][:]).all())
            self.assertTrue(np.isfinite(f["stage_2/gradient_norm"][:]).all())
        for options in ((), ("--a-init", "1000", "--w-own", "5"), ("--a-init", "1e6")):
            with self.subTest(options):
                done = run("gihflow", "evaluate", *SMALL[:2], "--length", "20", "--epsilon", "0", "--json", *options)
                self.assertIn("note: the loss is infinite", done.stderr)
                answer = json.loads(done.stdout)
                self.assertIsNone(answer["loss"])
                gradient = [*answer["gradient"]["c"], *sum(answer["gradient"]["w"], []), answer["gradient"]["a"]]
                self.assertNotIn(None, gradient)

    def test_the_least_smoothing_is_smoothing(self):
        found = self.train("--epsilon", "1e-300", "--stages", "c:10,a:10")
        self.assertTrue(all(np.isfinite(stage["loss"]) for stage in found["stages"]))
        self.assertNotIn("the loss is infinite", run("gihflow", "show", "run.h5", cwd=self.directory).stdout)


if __name__ == "__main__":
    unittest.main()
