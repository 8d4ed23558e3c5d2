"""Models beyond the paper's on the command line: what is recorded and certified of their flow, stages that move sets alone,
and root mean squares as a norm."""

import json
import unittest

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, run

SMALL = ("--chains", "30", "--validation-chains", "0", "--length", "25", "--outputs", "5")


class Variants(DirectoryTest):
    def train(self, *options, expect=0):
        return run("gihflow", "train", *SMALL, "--force", *options, cwd=self.directory, expect=expect)

    def test_what_the_flow_conserves_is_recorded_and_certified(self):
        full = ("--preset", "full", "--qk-init", "0.3", "--value-init", "0.5", "--stages", "cwaqkvn:1,q:0.5")
        joint, queries = json.loads(self.train(*full, "--json").stdout)["stages"]
        for name in ("balancedness", "key_sum", "value_sum"):
            self.assertLess(joint[f"{name}_drift"], 1e-4, name)
        self.assertNotIn("balancedness_drift", queries)  # Q moves without K
        self.assertEqual((queries["key_sum_drift"], queries["value_sum_drift"]), (0.0, 0.0))
        with h5py.File(self.directory / "run.h5") as file:
            stage = {name: file[f"stage_1/{name}"][()] for name in ("query", "key", "value", "balancedness", "key_sum",
                                                                      "value_sum")}
        query, key = stage["query"], stage["key"]
        balance = query.swapaxes(-1, -2) @ query - key.swapaxes(-1, -2) @ key
        np.testing.assert_allclose(stage["balancedness"], balance, atol=1e-14)
        np.testing.assert_allclose(stage["key_sum"], key.sum(axis=-2), atol=1e-14)
        np.testing.assert_allclose(stage["value_sum"], stage["value"].sum(axis=-1), atol=1e-14)
        self.assertEqual(joint["balancedness_drift"], np.max(np.abs(stage["balancedness"] - stage["balancedness"][0])))
        self.assertIn("balancedness drift", run("gihflow", "show", self.directory / "run.h5").stdout)
        self.train("--stages", "c:1")
        with h5py.File(self.directory / "run.h5") as file:
            self.assertNotIn("balancedness", file["stage_1"])
        self.assertNotIn("balancedness", run("gihflow", "show", self.directory / "run.h5").stdout)

    def test_sets_alone(self):
        (stage,) = json.loads(self.train("--stages", "c{1,2}{3}:30", "--json").stdout)["stages"]
        self.assertEqual((stage["trained"], stage["gauge_drift"]), ("c{3}{1,2}", 0.0))
        self.assertLess(stage["relative_energy_residual"], 1e-4)
        with h5py.File(self.directory / "run.h5") as file:
            theta, sets = file["stage_1/log_c_squared"][()], file["subsets"][()]
        moved = np.any(theta != theta[0], axis=0)
        self.assertEqual([list(np.flatnonzero(mask) + 1) for mask in sets[moved]], [[3], [1, 2]])
        run("gihflow", "audit", "--all", "run.h5", cwd=self.directory)
        refused = self.train("--stages", "c{1,4}:1", expect=2).stderr
        self.assertIn("--stages 'c{1,4}:1': names head 4; the model has 3", refused)

    def test_root_mean_squares(self):
        (stage,) = json.loads(self.train("--head-normalization", "rms", "--stages", "cwa:2", "--json").stdout)["stages"]
        self.assertLess(stage["relative_energy_residual"], 1e-4)
        refused = self.train("--head-normalization", "rms", "--device", "cuda", expect=2).stderr
        self.assertIn("--device cuda: ", refused)


if __name__ == "__main__":
    unittest.main()
