"""`train` and `show`: the paper's experiment, what its file holds, repeating it from its config."""

import json
import os
import unittest

import h5py
import numpy as np

from gihflow_testing import PROGRAM, DirectoryTest, contents, run

PLAIN = ("--chains", "40", "--validation-chains", "10", "--length", "25", "--stages", "c:50,w:20,a:3")
SMALL = (*PLAIN, "--outputs", "12")


class PaperExperiment(DirectoryTest):
    def test_threads_are_at_most_what_a_batch_system_gave(self):
        for name in ("SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"):
            done = run("gihflow", "train", *SMALL, "--force", cwd=self.directory, env={**os.environ, name: "1"})
            self.assertEqual(done.returncode, 0)
            with h5py.File(self.directory / "run.h5") as file:
                self.assertEqual(file["execution"].attrs["threads"], 1)

    def test_default_run(self):
        done = run("gihflow", "train", "--json", cwd=self.directory)
        self.assertEqual(done.stderr, "")
        found = json.loads(done.stdout)
        self.assertEqual(found["outcome"], "reached")
        self.assertLessEqual(sum(stage["rhs_evaluations"] for stage in found["stages"]), 800)
        for stage in found["stages"]:
            self.assertLess(stage["relative_energy_residual"], 1e-5)
            self.assertLess(stage["gauge_drift"], 1e-5)
        final = found["final"]
        weights = {tuple(s): p for s, p in zip(final["subsets"], final["p"])}
        self.assertGreater(weights[(1, 2)], 0.999)
        self.assertGreater(final["attention"][0][0], 0.98)
        self.assertGreater(final["attention"][1][1], 0.98)
        self.assertEqual(final["w"][2], [0.01, 0.01, 3.0])
        self.assertGreater(final["a"], 5)
        validation = found["baselines"]["validation"]
        self.assertEqual(found["baselines"]["lags"], [1, 2])
        self.assertLess(abs(found["stages"][-1]["validation_loss"] - validation["gih_loss"]), 0.002)
        self.assertLess(validation["entropy_floor"], validation["posterior_loss"])
        with h5py.File(self.directory / "run.h5") as file:
            p = file["stage_1/p"][-1]
            self.assertGreater(p[4], 0.999)  # {1,2}, at the end of stage I already
            theta = file["stage_1/log_c_squared"][()]
            start = theta[0].max() + np.log(np.exp(theta[0] - theta[0].max()).sum())
            top = theta.max(axis=1)
            drift = top + np.log(np.exp(theta - top[:, None]).sum(axis=1)) - start
            self.assertLess(abs(drift).max(), 1e-10)  # C_D by construction


class Train(DirectoryTest):
    def train(self, *options, expect=0, **keywords):
        return run("gihflow", "train", *options, expect=expect, cwd=self.directory, **keywords)

    def test_config_of_a_run_repeats_it_bit_for_bit(self):
        for preset in ("paper", "reference"):
            with self.subTest(preset):
                self.train(*SMALL, "--preset", preset, "--seed", "7", "-o", f"{preset}.h5")
                config = run("gihflow", "show", "--config", f"{preset}.h5", cwd=self.directory).stdout
                (self.directory / "c.toml").write_text(config)
                self.train("--config", "c.toml", "-o", f"{preset}_again.h5", "--threads", "1", "--checkpoint-every",
                           "0")
                self.assertEqual(contents(self.directory / f"{preset}.h5"),
                                 contents(self.directory / f"{preset}_again.h5"))
                self.train("--config", f"{preset}.h5", "-o", f"{preset}_directly.h5")
                self.assertEqual(contents(self.directory / f"{preset}.h5"),
                                 contents(self.directory / f"{preset}_directly.h5"))

    def test_config_from_a_pipe(self):
        """/dev/stdin, and what a shell makes of <(…)."""
        run("gihflow", "train", *SMALL, cwd=self.directory)
        config = run("gihflow", "show", "--config", "run.h5", cwd=self.directory).stdout
        run("gihflow", "train", "--config", "/dev/stdin", "-o", "by_stdin.h5", input=config, cwd=self.directory)
        run("bash", "-c", f"{PROGRAM} train --config <(echo '{config}') -o by_shell.h5", cwd=self.directory)
        run("gihflow", "train", "--config", "/dev/null", *SMALL, "-o", "defaults.h5", cwd=self.directory)
        for name in ("by_stdin.h5", "by_shell.h5", "defaults.h5"):
            self.assertEqual(contents(self.directory / name), contents(self.directory / "run.h5"), name)
        done = run("bash", "-c", f"{PROGRAM} train --config <(cat run.h5) -o x.h5", cwd=self.directory, expect=2)
        self.assertIn("a run file, which must be a regular file; this is a pipe", done.stderr)

    def test_a_file_keeps_its_permissions(self):
        run("gihflow", "train", *SMALL, cwd=self.directory)
        path = self.directory / "run.h5"
        path.chmod(0o640)
        run("gihflow", "train", *SMALL, "--force", cwd=self.directory)
        self.assertEqual(path.stat().st_mode & 0o7777, 0o640)

    def test_a_file_as_config_says_when_another_version_wrote_it(self):
        done = self.train(*SMALL, "-o", "run.h5")
        self.assertEqual(done.stderr, "")
        with h5py.File(self.directory / "run.h5", "r+") as f:
            f.attrs["git_commit"] = "0123abc"
        done = self.train("--config", "run.h5", "--dry-run")
        self.assertRegex(done.stderr, r"^note: run.h5 was computed by gihflow \S+ \(commit 0123abc\), and this is .*: "
                                      r"bits may differ\n$")
        with h5py.File(self.directory / "foreign.h5", "w") as f:
            f["x"] = 1
        done = self.train("--config", "foreign.h5", expect=2)
        for name in ("config", "git_commit", "program_version", "seed"):
            self.assertIn(f"error: foreign.h5: attribute {name}", done.stderr)
        (self.directory / "torn.h5").write_bytes((self.directory / "run.h5").read_bytes()[:100])
        self.assertIn("error: torn.h5: is not a readable HDF5 file", self.train("--config", "torn.h5", expect=2).stderr)

    def test_seeds_differ(self):
        self.train(*SMALL, "-o", "a.h5")
        self.train(*SMALL, "-o", "b.h5", "--seed", "2")
        with h5py.File(self.directory / "a.h5") as a, h5py.File(self.directory / "b.h5") as b:
            self.assertNotEqual(a.attrs["tokens_hash"], b.attrs["tokens_hash"])

    def test_more_outputs_move_no_bit(self):
        self.train(*PLAIN, "-o", "few.h5", "--outputs", "2")
        self.train(*PLAIN, "-o", "many.h5", "--outputs", "1000")
        with h5py.File(self.directory / "few.h5") as few, h5py.File(self.directory / "many.h5") as many:
            for name in ("c", "log_c_squared", "w", "a"):
                np.testing.assert_array_equal(few["final"][name], many["final"][name])

    def test_file(self):
        self.train(*SMALL)
        n, heads, window, outputs = 7, 3, 3, 12
        with h5py.File(self.directory / "run.h5") as file:
            for name in ("program_version", "git_commit", "config", "outcome", "tokens_hash"):
                self.assertIsInstance(file.attrs[name], str)
            self.assertEqual(file.attrs["schema_version"], 2)
            self.assertEqual(file.attrs["seed"], 1)
            np.testing.assert_array_equal(file["subsets"][4], [1, 1, 0])
            np.testing.assert_array_equal(file["lag"], np.tile([1, 2, 3], (3, 1)))
            shapes = dict(t=(), c=(n,), log_c_squared=(n,), p=(n,), w=(heads, window), attention=(heads, window), a=(),
                          loss=(), validation_loss=(), gradient_norm=(), dissipated=(), energy_residual=())
            for k, (trained, duration) in enumerate((("c", 50), ("w", 20), ("a", 3)), 1):
                stage = file[f"stage_{k}"]
                self.assertEqual(set(stage), {*shapes, "restart"})
                for name, shape in shapes.items():
                    self.assertEqual(stage[name].shape, (outputs, *shape), name)
                self.assertEqual(stage.attrs["trained"], trained)
                self.assertEqual(stage.attrs["duration"], duration)
                self.assertEqual(stage.attrs["outcome"], "reached")
                t = stage["t"][()]
                self.assertEqual((t[0], t[1], t[-1]), (0, min(1, duration / 1000), duration))
                np.testing.assert_allclose(np.diff(np.log(t[1:])), np.log(t[-1] / t[1]) / (outputs - 2), rtol=1e-9)
                np.testing.assert_allclose(stage["p"][()].sum(axis=1), 1, rtol=1e-12)
                np.testing.assert_allclose(stage["attention"][()].sum(axis=2), 1, rtol=1e-12)
                loss = stage["loss"][()]
                np.testing.assert_array_equal(stage["energy_residual"], loss[0] - loss - stage["dissipated"][()])
            for name in ("c", "log_c_squared", "w", "a"):
                np.testing.assert_array_equal(file["final"][name], file["stage_3"][name][-1])

    def test_datasets_have_units_names_and_axes_of_their_own(self):
        self.train(*SMALL)

        def visit(name, item):
            if isinstance(item, h5py.Dataset):
                self.assertIsInstance(item.attrs["units"], str, name)
                self.assertIsInstance(item.attrs["long_name"], str, name)
                if h5py.h5ds.is_scale(item.id):
                    return
                scales = [axis[0].name for axis in item.dims]
                self.assertEqual(len(set(scales)), item.ndim, name)
                for axis, scale in enumerate(item.dims):  # the scale lists the dataset too
                    self.assertTrue(h5py.h5ds.is_attached(item.id, scale[0].id, axis), name)

        with h5py.File(self.directory / "run.h5") as file:
            file.visititems(visit)
            w = file["stage_2/w"]
            self.assertEqual([axis[0].name for axis in w.dims], ["/stage_2/t", "/head", "/component"])

    def test_short_stages_are_not_written_one_by_one(self):
        """Writing takes a small share of the time, however many stages there are. On the CPU: a stage of so few chains
        takes a card as long as many writes."""
        count = 64
        stages = ",".join(["c:1e-3", "a:1e-3"] * (count // 2))
        self.train("--chains", "5", "--validation-chains", "2", "--length", "6", "--outputs", "2", "--stages", stages,
                   "--device", "cpu")
        with h5py.File(self.directory / "run.h5") as file:
            self.assertEqual(sum(name.startswith("stage_") for name in file), count)
            self.assertLess(file["execution"].attrs["checkpoints"], count // 2)
            self.assertEqual(len(file["subset"].attrs["REFERENCE_LIST"]), 3 * count + 11)

    def test_opens_in_xarray(self):
        try:
            import xarray
        except ImportError:
            self.skipTest("no xarray")
        self.train(*SMALL)
        with xarray.open_dataset(self.directory / "run.h5", group="stage_2") as stage:
            self.assertEqual(stage.w.dims, ("t", "head", "component"))
            self.assertEqual(stage.loss.units, "nats")

    def test_data_given(self):
        run("gihflow", "sample", "-o", "d.h5", "--chains", "30", "--length", "20", cwd=self.directory)
        run("gihflow", "sample", "-o", "v.h5", "--chains", "9", "--length", "30", "--seed", "2", cwd=self.directory)
        self.train("--data", "d.h5", "--stages", "c:1,a:1", "-o", "a.h5")
        self.train("--data", "d.h5", "--validation-data", "v.h5", "--stages", "c:1,a:1", "-o", "b.h5")
        with h5py.File(self.directory / "a.h5") as a, h5py.File(self.directory / "b.h5") as b, \
                h5py.File(self.directory / "d.h5") as d:
            self.assertEqual(a.attrs["tokens_hash"], d.attrs["tokens_hash"])
            self.assertNotIn("validation_loss", a["stage_1"])
            self.assertNotIn("validation", a["baselines"])
            self.assertNotIn("alpha", a.attrs["config"])
            self.assertIn("validation_loss", b["stage_1"])
            np.testing.assert_array_equal(a["stage_2/a"], b["stage_2/a"])

    def test_training_goes_on_from_a_run(self):
        self.train(*SMALL, "-o", "first.h5")
        self.train(*SMALL, "-o", "second.h5", "--parameters", "first.h5")
        with h5py.File(self.directory / "first.h5") as first, h5py.File(self.directory / "second.h5") as second:
            for name in ("log_c_squared", "w", "a"):
                np.testing.assert_array_equal(first["final"][name], second["stage_1"][name][0])
            self.assertNotIn("w-own", second.attrs["config"])

    def test_table(self):
        text = self.train(*SMALL).stdout
        for word in ("the end of the schedule was reached", "energy residual", "of the drop", "gauge drift", "attention",
                     "trained model", "GIH({1,2})", "posterior predictor", "entropy floor", "written to run.h5"):
            self.assertIn(word, text)
        shown = run("gihflow", "show", "run.h5", cwd=self.directory).stdout
        self.assertIn(text.split("\n\n")[1], shown)  # the same table of stages
        self.assertIn("gihflow train --chains 40", shown)

    def test_json_of_show_is_that_of_train(self):
        trained = json.loads(self.train(*SMALL, "--json").stdout)
        shown = json.loads(run("gihflow", "show", "run.h5", "--json", cwd=self.directory).stdout)
        self.assertEqual(trained, shown)

    def test_existing_run_is_kept(self):
        (self.directory / "run.h5").write_text("precious")
        self.train(*SMALL, expect=2)
        self.assertEqual((self.directory / "run.h5").read_text(), "precious")
        self.assertEqual(len(list(self.directory.iterdir())), 1)
        self.train(*SMALL, "--force")
        self.assertEqual(len(list(self.directory.iterdir())), 1)

    def test_dry_run(self):
        text = self.train("--dry-run").stdout
        for word in ("9000 of length 100", "1000", "17, of 7 subsets", "memory", "disk", "600", "time", "900 gradients"):
            self.assertIn(word, text)
        found = json.loads(self.train("--dry-run", "--json").stdout)
        self.assertEqual(found["windows"], 27)
        self.assertGreater(found["seconds"], 0)
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_bad_data_touch_nothing(self):
        self.train(*SMALL)
        before = (self.directory / "run.h5").read_bytes()
        with h5py.File(self.directory / "bad.h5", "w") as file:
            file["tokens"] = np.array([[0, 1, 9]])
            file["targets"] = np.array([[0.5, 0.6, 0.0]])
            file.attrs["vocabulary_size"] = 3
        done = self.train("--data", "bad.h5", "--force", expect=2)
        self.assertEqual(done.stderr.splitlines(), [
            "error: bad.h5: /tokens[0, 2] 9: must be a token from 0 to 2",
            "error: bad.h5: /targets, row 0, sums to 1.1: must be 1 within 1e-09",
        ])
        self.assertEqual((self.directory / "run.h5").read_bytes(), before)

    def test_unused_options_are_told(self):
        done = self.train(*SMALL, "--readout", "softmax", "--epsilon", "0.5")
        self.assertEqual(done.stderr, "note: --epsilon has no effect: --readout softmax has no smoothing\n")
        self.assertEqual(self.train(*SMALL, "--readout", "softmax", "--epsilon", "0.5", "--force", "--quiet").stderr,
                         "")


if __name__ == "__main__":
    unittest.main()
