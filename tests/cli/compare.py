"""gihflow compare and train --method gd: what they print, write and refuse."""

import json
import sys
import unittest

import h5py
import numpy as np
from gihflow_testing import DirectoryTest, run

# Coefficients of order 1 instead of 0.01: nothing is stiff, and every learning rate is stable.
MILD = ["--c-init", 1, "--w-own", 1, "--w-other", 0.1, "--a-init", 0.5, "--chains", 100, "--length", 40]


class Compare(DirectoryTest):
    def compare(self, *options, expect=0):
        return run("gihflow", "compare", "--quiet", "--threads", 1, "-o", self.directory / "compare.h5", *options,
                   expect=expect)

    def test_orders(self):
        done = self.compare(*MILD, "--stages", "cwa:40,w:20", "--learning-rates", "0.4,0.2,0.1", "--outputs", 12,
                            "--first-output", 2, "--json")
        stages = json.loads(done.stdout)["stages"]
        self.assertEqual([stage["trained"] for stage in stages], ["cwa", "w"])
        for stage in stages:
            self.assertEqual(stage["fitted_rates"], [0.4, 0.2, 0.1])
            self.assertLess(abs(stage["flow"]["order"] - 1), 0.1)
            self.assertLess(abs(stage["modified_flow"]["order"] - 2), 0.1)
            for rate in stage["rates"]:
                self.assertIsNone(rate["leaves_at"])
                self.assertLess(rate["growth_error"], 1e-12)

    def test_file_agrees_with_json_and_draws(self):
        options = [*MILD, "--stages", "cwa:40,a:0.8", "--learning-rates", "0.4,0.2", "--outputs", 6,
                   "--first-output", 0.4]
        stages = json.loads(self.compare(*options, "--json").stdout)["stages"]
        with h5py.File(self.directory / "compare.h5") as file:
            self.assertEqual(file["learning_rate"][()].tolist(), [0.4, 0.2])
            for k, stage in enumerate(stages):
                group = file[f"stage_{k + 1}"]
                self.assertEqual(group.attrs["trained"], stage["trained"])
                np.testing.assert_array_equal(group["t"][()], stage["t"])
                np.testing.assert_array_equal(group["sharpness"][()], stage["sharpness"])
                for i, rate in enumerate(stage["rates"]):
                    for block, values in rate["distance"].items():
                        np.testing.assert_array_equal(group[f"distance_{block}"][i], values)
                difference = np.abs(group["descent_a"][()] - group["flow_a"][()])
                np.testing.assert_allclose(group["distance_a"][()], difference, atol=1e-15)
                for name, data in group.items():
                    for axis in data.dims if name != "t" else []:
                        self.assertEqual(len(axis), 1, f"{name} has an axis without a scale")
        figure = self.directory / "overlay.png"
        run(sys.executable, "-B", "-m", "gihflow.comparison", self.directory / "compare.h5", "-o", figure)
        self.assertTrue(figure.read_bytes().startswith(b"\x89PNG"))
        run(sys.executable, "-B", "-m", "gihflow.comparison", self.directory / "compare.h5", "--figure", "sharpness", "-o", figure)
        self.assertTrue(figure.read_bytes().startswith(b"\x89PNG"))
        text = self.compare(*options, "--force").stdout
        self.assertEqual([stage["flow"]["order"] is None for stage in stages], [False, True])
        for k, stage in enumerate(stages):
            part = text.split(f"stage {k + 1} ")[1]
            if stage["flow"]["order"] is None:
                self.assertIn("observed order in the learning rate: none", part)
            else:
                self.assertIn(f"learning rate: {stage['flow']['order']:.3f} against the flow, ", part)
                self.assertIn(f"{stage['modified_flow']['order']:.3f} against the modified flow", part)
        self.assertIn("lambda_max along the flow", text)

    def test_refusals(self):
        for options, sentences in (
            (["--learning-rates", "1,x"],
             ["--learning-rates 1,x: must be numbers above 0 with commas, as in 1,0.1,0.01"]),
            (["--learning-rates", "1,0.3", "--stages", "c:2"],
             ["--learning-rates 0.3: stage 'c:2' takes 6.66"]),
        ):
            done = self.compare(*options, expect=2)
            self.assertEqual(done.stdout, "")
            for sentence in sentences:
                self.assertIn(sentence, done.stderr)
            self.assertFalse((self.directory / "compare.h5").exists())


class Descent(DirectoryTest):
    def train(self, name, *options, expect=0):
        path = self.directory / name
        run("gihflow", "train", "--method", "gd", "--quiet", "--chains", 60, "--length", 40, "--validation-chains", 20,
            "-o", path, *options, expect=expect)
        return path

    def numbers(self, path):
        with h5py.File(path) as file:
            names = []
            file.visit(names.append)
            return {name: file[name][()] for name in names
                    if isinstance(file[name], h5py.Dataset) and not name.startswith("execution/")}

    def assert_same(self, one, other):
        first, second = self.numbers(one), self.numbers(other)
        self.assertEqual(first.keys(), second.keys())
        self.assertIn("stage_1/log_c_squared", first)
        for name in first:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)

    def test_optimizers_threads_and_the_config_of_the_run(self):
        for optimizer in ("gd", "momentum", "adam"):
            for extra in ([], ["--batch", 7], ["--batch", 7, "--resample"]):
                with self.subTest(optimizer=optimizer, extra=extra):
                    options = ["--optimizer", optimizer, "--learning-rate", 0.1, "--stages", "cwa:3,w:2", *extra]
                    path = self.train("one.h5", *options, "--threads", 1, "--force")
                    again = self.train("three.h5", *options, "--threads", 3, "--force")
                    self.assert_same(path, again)
                    with h5py.File(path) as file:
                        self.assertEqual(file["stage_1"].attrs["integrator"], optimizer)
                        self.assertEqual(file["stage_1"].attrs["accepted_steps"], 30)
                        (self.directory / "run.toml").write_text(file.attrs["config"])
                    repeated = self.directory / "repeated.h5"
                    run("gihflow", "train", "--config", self.directory / "run.toml", "-o", repeated, "--quiet", "--force")
                    self.assert_same(path, repeated)

    def test_fresh_chains_are_fresh_each_step_and_seeds_decide(self):
        runs = [self.numbers(self.train(f"{i}.h5", "--stages", "cwa:4", *extra))["final/w"] for i, extra in enumerate((
            ["--batch", 7], ["--batch", 7, "--seed", 2], ["--batch", 7, "--resample"], ["--resample"], []))]
        for i, one in enumerate(runs):
            for other in runs[:i]:
                self.assertGreater(np.abs(one - other).max(), 0)

    def test_refusals(self):
        def errors(*options):
            path = self.directory / "refused.h5"
            done = run(
                "gihflow", "train", "--method", "gd", "-o", path, *options, expect=2)
            self.assertFalse(path.exists())
            return done.stderr

        text = errors("--stages", "c:0.4,w:2", "--batch", 9001)
        self.assertIn("--stages: 'c:0.4' rounds to no step at --learning-rate 1", text)
        self.assertIn("--batch 9001: must be between 0 (all chains) and the number of chains, 9000", text)
        self.assertIn("--learning-rate 0: must be a finite number above 0", errors("--learning-rate", 0))
        self.assertIn("must be gd, momentum or adam", errors("--optimizer", "sgd"))
        self.assertIn("--batch 5: must be 0 in --context infinite", errors("--context", "infinite", "--batch", 5))


if __name__ == "__main__":
    unittest.main()
