"""train and evaluate in infinite context."""

import json
import unittest

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, run


class Infinite(DirectoryTest):
    def evaluated(self, *options):
        return json.loads(run("gihflow", "evaluate", "--json", *options).stdout)

    def test_evaluate(self):
        options = ["--chains", 300, "--a-init", 1]
        limit = self.evaluated("--context", "infinite", *options)
        self.assertEqual(limit["engine"], "infinite")
        # Long sequences of the same chains differ by their own noise, here by less than five standard errors over
        # chains: a p-value of 1e-5 for each of 18 numbers.
        options += ["--alpha", 1]
        limit = self.evaluated("--context", "infinite", *options)
        finite = self.evaluated("--length", 20000, *options)
        errors = finite["gradient_standard_error"]
        for block in ("c", "w", "a"):
            difference = np.abs(np.array(finite["gradient"][block]) - limit["gradient"][block])
            self.assertTrue(np.all(difference <= 5 * np.array(errors[block])), block)
        self.assertLess(abs(finite["loss"] - limit["loss"]), 5 * finite["loss_standard_error"])

    def test_train(self):
        path = self.directory / "run.h5"
        options = ["--context", "infinite", "--chains", 200, "--validation-chains", 100,
                   "--stages", "c:200,w:500,a:100", "--outputs", 20]
        printed = json.loads(run("gihflow", "train", "--json", "-o", path, *options).stdout)
        self.assertEqual(printed["outcome"], "reached")
        for stage in printed["stages"]:
            self.assertLess(stage["relative_energy_residual"], 1e-4)
            self.assertLess(stage["loss_rise"], 1e-14)  # rounding of the loss, on any device
        lines = printed["baselines"]["training"]
        self.assertNotIn("posterior_loss", lines)
        self.assertGreater(printed["stages"][-1]["loss"], lines["entropy_floor"])
        self.assertIsNotNone(printed["stages"][-1]["validation_loss"])
        with h5py.File(path) as file:
            config = file.attrs["config"]
        self.assertIn('context = "infinite"', config)
        for name in ("length", "boundary", "labels", "initial-law", "engine"):
            self.assertNotIn(f"\n{name} = ", "\n" + config)
        # The recorded config reproduces the run.
        (self.directory / "run.toml").write_text(config)
        again = self.directory / "again.h5"
        run("gihflow", "train", "--config", self.directory / "run.toml", "-o", again, "--threads", 3)
        with h5py.File(path) as one, h5py.File(again) as other:
            self.assertEqual(one.attrs["tokens_hash"], other.attrs["tokens_hash"])
            for stage in ("stage_1", "stage_2", "stage_3"):
                for name in ("loss", "p", "w", "a", "validation_loss"):
                    np.testing.assert_array_equal(one[stage][name], other[stage][name])

    def test_given_kernels(self):
        path = self.directory / "kernels.h5"
        with h5py.File(path, "w") as file:
            file["kernels"] = np.random.default_rng(1).dirichlet(np.ones(2), size=(7, 2))
            file.attrs["parents"] = [1]
        options = ["--context", "infinite", "--kernels", path, "--window", 2, "--heads", 2, "--stages", "c:10"]
        printed = json.loads(run("gihflow", "train", "--json", "-o", self.directory / "run.h5", *options).stdout)
        self.assertIsNone(printed["stages"][0]["validation_loss"])
        options += ["-o", self.directory / "no.h5"]
        self.assertIn("chains 5: must be 7", run("gihflow", "train", *options, "--chains", 5, expect=2).stderr)
        self.assertIn("validation-chains 5: must be 0 or left out",
                      run("gihflow", "train", *options, "--validation-chains", 5, expect=2).stderr)

    def test_what_has_no_meaning(self):
        path = self.directory / "data.h5"
        run("gihflow", "sample", "--chains", 3, "-o", path)
        out = ["-o", self.directory / "run.h5"]
        errors = run("gihflow", "train", "--context", "infinite", "--data", path, *out, expect=2).stderr
        self.assertIn("must be left out in --context infinite, which needs --kernels", errors)
        errors = run("gihflow", "train", "--context", "endless", *out, expect=2).stderr
        self.assertIn("--context endless: must be finite or infinite", errors)
        done = run("gihflow", "evaluate", "--context", "infinite", "--chains", 10, "--length", 2, "--boundary", "partial",
                   "--labels", "posterior")
        self.assertIn("note: --labels, --length, --boundary have no effect: --context infinite has no sequences", done.stderr)
        size = json.loads(run("gihflow", "train", "--context", "infinite", "--dry-run", "--json", *out).stdout)
        self.assertIsNone(size["length"])
        errors = run("gihflow", "train", "--context", "infinite", "--window", 16, *out, expect=2).stderr
        self.assertRegex(errors, "up to [0-9.]+ TiB of memory")


if __name__ == "__main__":
    unittest.main()
