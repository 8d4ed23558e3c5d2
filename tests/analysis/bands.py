"""Files of many runs: what gihflow.ensemble reads, and the bands that are drawn of it, are quantiles over the runs."""

import sys

import h5py
import numpy as np
from gihflow_testing import DirectoryTest, run
from legible import faults

import gihflow
from gihflow.bands import bands, caption, leading_sets
from gihflow.ensemble import is_ensemble, read_ensembles

SEEDS = range(1, 6)


class Bands(DirectoryTest):
    def setUp(self):
        super().setUp()
        run("gihflow", "train", "--stages", "c:200,wa:50", "--length", "24", "--validation-chains", "10", "--outputs", "12",
            "--chains", "10", "--replicas", str(len(SEEDS)), "-o", "many.h5", "--quiet", cwd=self.directory)
        self.path = self.directory / "many.h5"
        self.runs = [gihflow.read(self.directory / f"many.members/seed={seed}.h5") for seed in SEEDS]

    def test_what_is_read(self):
        self.assertTrue(is_ensemble(self.path))
        self.assertFalse(is_ensemble(self.directory / "many.members/seed=1.h5"))
        with self.assertRaisesRegex(gihflow.RunFileError, "seed=1.h5: is not a file of many runs"):
            read_ensembles(self.directory / "many.members/seed=1.h5")
        (one,) = read_ensembles(self.path)
        self.assertEqual((one.point, one.options, one.subsets), (1, {}, self.runs[0].subsets))
        self.assertEqual([stage.trained for stage in one.stages], ["c", "wa"])
        for k, stage in enumerate(one.stages):
            np.testing.assert_array_equal(stage.t, self.runs[0].stages[k].t)
            np.testing.assert_array_equal(stage.replicas, 5)
            for name in ("loss", "p", "w"):
                values = np.array([getattr(each.stages[k], name) for each in self.runs])
                np.testing.assert_allclose(stage.mean[name], values.mean(axis=0), rtol=1e-12)
                np.testing.assert_allclose(stage.quantiles[name], np.quantile(values, one.levels, axis=0), rtol=1e-12)
                np.testing.assert_allclose(stage.standard_error(name), values.std(axis=0, ddof=1) / np.sqrt(5), rtol=1e-6,
                                           atol=1e-14)

    def test_what_is_drawn(self):
        (one,) = read_ensembles(self.path)
        figure = bands(one)
        axes = next(axes for axes in figure.axes if axes.get_ylabel() == "loss (nats)")
        outer = axes.collections[0].get_paths()[0].vertices  # of the training loss: nine tenths
        for level in (0.05, 0.95):
            edge = np.quantile([each.stages[0].loss for each in self.runs], level, axis=0)
            for t, value in zip(self.runs[0].stages[0].t[1:], edge[1:]):
                self.assertTrue(np.any(np.all(np.isclose(outer, (t, value), rtol=1e-9), axis=1)), (level, t))
        self.assertEqual(faults(bands(one, column=True)), [])
        losses = [each.stages[-1].loss[-1] for each in self.runs]
        self.assertIn(f"the mean loss is {np.mean(losses):.5f}", caption(one))
        self.assertEqual(leading_sets(one)[0], int(np.argmax(np.mean([each.joined("p").mean(axis=0) for each in self.runs], axis=0))))

    def test_command(self):
        done = run(sys.executable, "-B", "-m", "gihflow", self.path, "-o", self.directory / "figures", "--formats", "png")
        self.assertTrue(done.stdout.startswith("bands_1: 5 seeds: at the end nine tenths of them"), done.stdout)
        self.assertTrue((self.directory / "figures/bands_1.png").read_bytes().startswith(b"\x89PNG"))
        with h5py.File(self.path, "a") as file:
            del file["point_1"]
        done = run(sys.executable, "-B", "-m", "gihflow", self.path, "-o", self.directory / "none", expect=2)
        self.assertIn("has no point with replicas that are done", done.stderr)

    def test_xarray(self):
        try:
            import xarray
        except ImportError:
            self.skipTest("no xarray")
        with xarray.open_dataset(self.path) as table:
            self.assertEqual(table["loss"].dims, ("row",))
            self.assertEqual(table["p"].dims, ("row", "subset"))
            self.assertEqual(table["seed"].values.tolist(), list(SEEDS))
            frame = table[["seed", "loss", "total_variation"]].to_dataframe()
            self.assertEqual(len(frame), len(SEEDS))
        with xarray.open_dataset(self.path, group="point_1/stage_2") as stage:
            self.assertEqual(stage["p_quantile"].dims, ("quantile", "t", "subset"))
            self.assertTrue(np.all(stage["loss_quantile"].sel(quantile=0.95).values >= stage["loss_quantile"].sel(quantile=0.05).values))
