"""gihflow.read: arrays as they are in the file, missing parts left out, bad files refused with one sentence."""

import h5py
import numpy as np
from gihflow_testing import DirectoryTest
from run_fixture import OUTPUTS, write_run

import gihflow


class Reading(DirectoryTest):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "run.h5"

    def test_whole_file(self):
        run = gihflow.read(write_run(self.path))
        self.assertEqual(run.subsets, [(), (1,), (2,), (3,), (1, 2), (1, 3), (2, 3)])
        self.assertEqual([(s.number, s.trained, s.duration) for s in run.stages],
                         [(1, "c", 2000.0), (2, "w", 50000.0), (3, "a", 5000.0)])
        with h5py.File(self.path) as file:
            for stage in run.stages:
                group = file[f"stage_{stage.number}"]
                for name in group:
                    np.testing.assert_array_equal(getattr(stage, name), group[name][()])
                self.assertEqual(stage.attributes["rhs_evaluations"], 100)
            np.testing.assert_array_equal(run.final["c"], file["final/c"])
            self.assertEqual(run.validation_baselines.gih_loss, file["baselines/validation/gih_loss"][()])
        self.assertEqual((run.gih_lags, run.attributes["seed"], run.execution["host"]), ((1, 2), 1, "here"))
        self.assertEqual((run.outcome, run.schema_version), ("reached", 1))

    def test_joined_stages(self):
        run = gihflow.read(write_run(self.path))
        t = run.joined("t")
        self.assertEqual(len(t), 3 * OUTPUTS)
        self.assertEqual((t[OUTPUTS - 1], t[OUTPUTS], t[2 * OUTPUTS], t[-1]), (2000, 2000, 52000, 57000))
        self.assertEqual(run.joined("attention").shape, (3 * OUTPUTS, 3, 3))
        self.assertIsNone(gihflow.read(write_run(self.path, validation=False)).joined("validation_loss"))

    def test_optional_parts(self):
        write_run(self.path, validation=False, baselines=False)
        with h5py.File(self.path, "a") as file:
            del file["lag"], file["final"], file["execution"]
        run = gihflow.read(self.path)
        self.assertIsNone(run.stages[0].validation_loss)
        self.assertIsNone(run.training_baselines)
        self.assertEqual((run.gih_lags, run.final, run.execution), ((), {}, {}))
        np.testing.assert_array_equal(run.lag, [[1, 2, 3]] * 3)

    def test_baselines_without_a_prior(self):
        write_run(self.path)
        with h5py.File(self.path, "a") as file:
            for chains in ("training", "validation"):
                del file[f"baselines/{chains}/posterior_loss"], file[f"baselines/{chains}/posterior_loss_standard_error"]
        self.assertIsNone(gihflow.read(self.path).training_baselines.posterior_loss)

    def test_values_that_are_not_finite(self):
        """What a run records is read: a loss that is infinite at epsilon 0, a gradient that overflowed."""
        write_run(self.path)
        with h5py.File(self.path, "a") as file:
            file["stage_1/loss"][3:] = np.inf
            file["stage_2/p"][-1] = np.nan
            file["final/w"][0, 0] = np.inf
        run = gihflow.read(self.path)
        self.assertTrue(np.all(np.isinf(run.stages[0].loss[3:])) and np.isnan(run.stages[1].p[-1]).all())

    def test_datasets_that_came_later(self):
        write_run(self.path)
        with h5py.File(self.path, "a") as file:
            file["stage_2/curvature"] = np.arange(OUTPUTS * 2.0).reshape(OUTPUTS, 2)
        stage = gihflow.read(self.path).stages[1]
        np.testing.assert_array_equal(stage.curvature[-1], [2 * OUTPUTS - 2, 2 * OUTPUTS - 1])
        with self.assertRaises(AttributeError):
            gihflow.read(self.path).stages[0].curvature

    def test_own_component(self):
        np.testing.assert_array_equal(gihflow.read(write_run(self.path)).own_component, [0, 1, 2])
        np.testing.assert_array_equal(gihflow.read(write_run(self.path, shifted=True)).own_component, [0, 0, 0])
        np.testing.assert_array_equal(gihflow.read(write_run(self.path, window=2)).own_component, [0, 1, -1])

    def refuses(self, fault, change=None):
        if change:
            write_run(self.path)
            with h5py.File(self.path, "a") as file:
                change(file)
        with self.assertRaisesRegex(gihflow.RunFileError, fault) as caught:
            gihflow.read(self.path)
        self.assertTrue(str(caught.exception).startswith(f"{self.path}: "))
        self.assertEqual(len(str(caught.exception).splitlines()), 1)

    def test_bad_files(self):
        def replace(name, values):
            def change(file):
                del file[name]
                file[name] = values
            return change

        def attribute(group, name, value):
            return lambda file: file[group].attrs.__setitem__(name, value)

        def remove(name):
            return lambda file: file.__delitem__(name)

        self.refuses("no such file")
        self.path.write_text("not HDF5")
        self.refuses("cannot be read as HDF5")
        self.path.write_bytes(write_run(self.directory / "whole.h5").read_bytes()[:30000])
        self.refuses("cannot be read as HDF5")
        with h5py.File(self.path, "w") as file:
            file["tokens"] = [[0, 1]]
        self.refuses("is not a run file")
        for trained in ("c{1,2}", "c{}{1,3}w[1,3]a"):
            path = write_run(self.directory / "sets.h5")
            with h5py.File(path, "r+") as file:
                file["stage_1"].attrs["trained"] = trained
            self.assertEqual(gihflow.read(path).stages[0].trained, trained)
        not_finite = np.full((OUTPUTS, 7), 1 / 7)
        not_finite[3, 2] = np.nan
        for fault, change in (
            ("schema_version is 3: must be from 1 to 2", attribute("/", "schema_version", 3)),
            ("schema_version of / is new: must be an integer", attribute("/", "schema_version", "new")),
            ("has no stage", lambda file: [remove(f"stage_{k}")(file) for k in (1, 2, 3)]),
            ("/stage_2/p is missing: must be a dataset", remove("stage_2/p")),
            (r"/stage_1/p has shape \(60, 6\): must be \(60, 7\)", replace("stage_1/p", np.ones((60, 6)))),
            (r"/stage_3/a has shape \(59,\): must be \(60\)", replace("stage_3/a", np.ones(59))),
            ("/stage_1/t has values that are not finite", replace("stage_1/t", not_finite[:, 2])),
            ("/stage_1/loss has type", replace("stage_1/loss", np.array([b"x"] * 60))),
            ("/stage_1/t must start at 0 and increase", replace("stage_1/t", np.zeros(60))),
            ("/stage_1/t must start at 0 and increase", replace("stage_1/t", np.arange(1.0, 61))),
            ("trained of /stage_1 is 'x': must be letters of cwa", attribute("stage_1", "trained", "x")),
            ("duration of /stage_1 is missing: must be a number", lambda file: file["stage_1"].attrs.__delitem__("duration")),
            ("/subsets has shape", replace("subsets", np.zeros(7, np.uint8))),
            ("/lag has the value 0: must be at least 1", replace("lag", np.zeros((3, 3), int))),
            ("/baselines/validation/gih_loss is missing", remove("baselines/validation/gih_loss")),
            ("/final/w has shape", replace("final/w", np.ones((2, 3)))),
            ("/stage_1/w is missing: must be a dataset", replace("stage_1", np.ones(3))),
        ):
            with self.subTest(fault):
                self.refuses(fault, change)
