"""gihflow predict and verify: predictions agree with a trained run, every row of verify passes, files and refusals."""

import json
import sys
import unittest

import h5py
import numpy as np
from gihflow_testing import DirectoryTest, run
from legible import faults
from matplotlib import rc_context

from gihflow import verification
from gihflow.panels import COLUMN, STYLE, add_caption


def by_quantity(lines):
    return {line["quantity"]: line for line in lines}


class Predict(DirectoryTest):
    def predict(self, *options):
        return by_quantity(json.loads(run("gihflow", "predict", "--json", "--quiet", *options).stdout)["predictions"])

    def test_stage_one_of_a_run(self):
        """Slopes and takeover time as trained are those of a run at small a."""
        setting = ("--chains", "400", "--a-init", "0.001", "--seed", "3", "--stages", "c:200")
        lines = self.predict(*setting)
        path = self.directory / "run.h5"
        run("gihflow", "train", "--quiet", "--validation-chains", "0", "-o", path, *setting)
        with h5py.File(path) as f:
            t, theta, p = f["stage_1/t"][:], f["stage_1/log_c_squared"][:], f["stage_1/p"][:]
            masks = f["subsets"][:]
        winner = int(np.argmax(theta[-1]))
        names = ["{" + ",".join(str(h + 1) for h in np.flatnonzero(mask)) + "}" for mask in masks]
        self.assertEqual(lines["set that takes over"]["trained"], names[winner])
        self.assertEqual(lines["information set S*"]["sharp"], "{1,2}")
        for i, name in enumerate(names):
            if i == winner:
                continue
            slope = (theta[-1, i] - theta[-1, winner] - theta[0, i] + theta[0, winner]) / (t[-1] - t[0])
            predicted = lines[f"log-odds slope of {name} against {names[winner]}"]["trained"]
            self.assertAlmostEqual(slope / predicted, 1.0, delta=0.01)
        time = np.interp(np.log(99), np.log(p[:, winner] / (1 - p[:, winner])), t)
        predicted = lines["time to p = 0.99"]
        self.assertAlmostEqual(time / predicted["trained"], 1.0, delta=0.01)
        bound = lines["upper bound of the time to p = 0.99"]
        self.assertLess(predicted["trained"], bound["trained"])
        self.assertAlmostEqual(lines["C_D"]["trained"], 7e-4, delta=1e-12)
        slope = lines[f"log-odds slope of {{}} against {names[winner]}"]
        self.assertEqual((slope["name"], slope["subject"]), ("log_odds_slope", {"set": "{}", "other": names[winner]}))

    def test_nothing_takes_over_at_a_zero(self):
        still = ("--chains", "50", "--a-init", "0")
        winner = self.predict(*still)["set that takes over"]
        self.assertEqual((winner["sharp"], winner["trained"]), ("none", "none"))
        said = run("gihflow", "predict", *still).stdout
        self.assertIn("warning: at a = 0 no weights move, so that no set takes over; try --a-init above 0", said)

    def test_what_does_not_exist_is_left_out(self):
        small = ("--chains", "50", "--stages", "c:1,w:1,a:1")
        self.assertGreater(self.predict(*small)["plateau of a"]["sharp"], 0)
        without = ("--epsilon", "0", "--length", "1000")
        self.assertIsNone(self.predict(*small, *without)["plateau of a"]["sharp"])  # (7.5) needs E 1/pi
        settled = self.predict(*without, "--stages", "c:1", "--alpha", "2", "--chains", "2000")["plateau of a"]
        self.assertAlmostEqual(settled["sharp"], settled["trained"], delta=0.2)
        infinite = self.predict(*small, "--context", "infinite")
        self.assertNotIn("plateau of a", infinite)
        self.assertNotIn("loss of GIH(S*)", infinite)
        self.assertNotIn("growth exponent", self.predict(*small, "--readout", "softmax"))
        for options, exponent, constant in (
            (("--alpha", "0.3", "--epsilon", "0"), 1.3, None),
            (("--alpha", "3", "--epsilon", "0"), 2, None),
            (("--alpha", "0.3", "--epsilon", "0", "--floor", "0.1"), 2, "constant of exponent 2"),
            (("--alpha", "0.3"), 1, "constant of exponent 1"),
        ):
            with self.subTest(options):
                lines = self.predict(*small, *options)
                self.assertEqual(lines["growth exponent"]["sharp"], exponent)
                if constant:
                    self.assertGreater(lines[constant]["sharp"], 0)
        text = run("gihflow", "predict", *small).stdout
        self.assertIn("exact where:", text)

    def test_a_warning_where_training_selects_another_set(self):
        """(7.4): three parents of three tokens need own logits above 3; the advice is followed, and the warning goes."""
        small = ("--chains", "1000", "--stages", "c:10", "--quiet")
        three = (*small, "--parents", "1,2,3", "--degree", "3")
        name = "own logits above which {1,2,3} takes over"
        found = json.loads(run("gihflow", "predict", "--json", *three).stdout)
        lines = by_quantity(found["predictions"])
        self.assertNotEqual(lines["set that takes over"]["trained"], "{1,2,3}")
        self.assertGreater(lines[name]["trained"], 3.0)
        advice = f"--w-own above {lines[name]['trained']:.6g}"
        self.assertIn(advice, found["warning"])
        self.assertIn("warning: the information set {1,2,3} is not what training selects", run("gihflow", "predict", *three).stdout)
        higher = json.loads(run("gihflow", "predict", "--json", *three, "--w-own", lines[name]["trained"] + 0.01).stdout)
        self.assertEqual(by_quantity(higher["predictions"])["set that takes over"]["trained"], "{1,2,3}")
        self.assertIsNone(higher["warning"])

    def test_recall(self):
        """(8.6), (8.7) and (8.8) for a setting are what its training shows; (8.5) is the length that it reaches."""
        setting = ("--task", "recall", "--vocabulary", "16", "--length", "128", "--window", "1", "--heads", "1", "--degree", "1",
                   "--chains", "1000", "--stages", "c:2000,a:40")
        lines = {line["name"]: line for line in json.loads(run("gihflow", "predict", "--json", "--quiet", *setting).stdout)["predictions"]}
        self.assertEqual((lines["information_set"]["sharp"], lines["takeover_set"]["trained"]), ("{1}", "{1}"))
        path = self.directory / "run.h5"
        run("gihflow", "train", "--quiet", "--validation-chains", "0", "--outputs", "300", "-o", path, *setting)
        with h5py.File(path) as f:
            t, a = f["stage_2/t"][:], f["stage_2/a"][:]
        self.assertAlmostEqual(a[-1] / lines["final_a"]["trained"], 1.0, delta=0.002)
        self.assertAlmostEqual(a[-1] / lines["final_a"]["sharp"], 1.0, delta=0.02)
        self.assertEqual(lines["recall_time"]["phase"], "recall")
        signal = 4.412 * np.sqrt(127 / 15)  # (8.5) at 99 %
        self.assertAlmostEqual(np.interp(np.log1p(signal), a, t) / lines["recall_time"]["trained"], 1.0, delta=0.005)
        falling = np.exp(-a[a < 0.3])
        end = falling[0] * t[len(falling) - 1] / (falling[0] - falling[-1])
        self.assertAlmostEqual(end / lines["recall_plateau"]["trained"], 1.0, delta=0.03)
        self.assertAlmostEqual(np.sqrt(lines["recall_length"]["trained"] / 15), np.expm1(lines["final_a"]["trained"]) / 1.694, delta=2)
        self.assertNotIn("growth_exponent", lines)
        found = json.loads(run("gihflow", "verify", "--quiet", "--json", "-o", self.directory / "verify.h5", *setting).stdout)
        own = {line["name"]: line for line in found["departures"]}
        self.assertEqual(own["final_a"]["measured"], a[-1])

    def test_models_of_which_nothing_is_predicted(self):
        for options, part in ((["--own-position"], "--own-position true: has no limit GIH"),
                              (["--scores", "tokens"], "--scores tokens: has no predictions"),
                              (["--values", "matrix"], "--values matrix: has no predictions: they hold for heads"),
                              (["--head-normalization", "layer"], "--head-normalization layer: has no predictions"),
                              (["--head-normalization", "rms"], "--head-normalization rms: has no predictions")):
            for command in ("predict", "verify"):
                with self.subTest(options=options, command=command):
                    done = run("gihflow", command, "--chains", "20", *options, cwd=self.directory, expect=2)
                    self.assertIn(part, done.stderr)

    def test_bad_input(self):
        self.assertIn("--chains 0: must be", run("gihflow", "predict", "--chains", "0", expect=2).stderr)
        self.assertIn("predict has no such option", run("gihflow", "predict", "--data", "x", expect=2).stderr)


class Verify(DirectoryTest):
    def test_default_and_own_setting(self):
        path = self.directory / "verify.h5"
        config = self.directory / "own.toml"
        config.write_text('chains = 300\nstages = ["c:200", "w:2000", "a:200"]\n')
        result = json.loads(run("gihflow", "verify", "--quiet", "--json", "--config", config, "-o", path).stdout)
        rows = {(row["name"], row["setting"]): row for row in result["rows"]}
        self.assertTrue(result["passed"])
        self.assertTrue(all(row["passed"] for row in result["rows"]))
        for parents in ("{1}", "{1,2}", "{1,3}", "{2,3}"):
            self.assertEqual(rows["takeover_set", f"parents {parents}"]["measured"], parents)
        for alpha, exponent in ((0.3, 1.3), (0.5, 1.5), (2.0, 2), (5.0, 2)):
            row = rows["growth_exponent", f"epsilon 0, alpha {alpha:g}"]
            self.assertEqual(row["predicted"], exponent)
            self.assertLess(abs(row["measured"] / exponent - 1), 0.03)

        self.assertLess(rows["recall_growth", "recall at length 256"]["difference"], 1e-3)

        own = by_quantity(result["departures"])
        self.assertLess(abs(own["time to p = 0.99"]["measured"] / own["time to p = 0.99"]["trained"] - 1), 0.02)
        self.assertGreater(abs(own["time to p = 0.99"]["measured"] / own["time to p = 0.99"]["sharp"] - 1), 0.2)

        with h5py.File(path) as f:
            self.assertEqual(f.attrs["passed"], 1)
            self.assertEqual(len(f["comparisons"]), len(result["rows"]))
            self.assertEqual(len(f["departures"]), len(result["departures"]))
            for line, stored in zip(result["departures"], (f[f"departures/line_{k + 1}"].attrs for k in range(3))):
                self.assertEqual((line["name"], line["quantity"]), (stored["name"], stored["quantity"]))
            for row, stored in zip(result["rows"], (f[f"comparisons/row_{k + 1}"].attrs for k in range(len(result["rows"])))):
                self.assertEqual([row[key] for key in ("phase", "name", "setting", "quantity")],
                                 [stored[key] for key in ("phase", "name", "setting", "quantity")])
                self.assertEqual(row["subject"], {key: stored[key] for key in ("set", "other", "head", "lag") if key in stored})
            self.assertEqual({curve.attrs["name"] for curve in f["curves"].values()},
                             {"log_odds_slope", "unattended", "concentration_limit", "growth_time", "plateau", "recall_time"})
            self.assertEqual({curve.attrs["phase"] for curve in f["curves"].values()}, {"I", "II", "III", "recall"})
            for curve in f["curves"].values():
                self.assertEqual(curve["x"].shape, curve["measured"].shape)
                self.assertEqual(curve["x"].shape, curve["predicted"].shape)
                self.assertIn("units", curve["measured"].attrs)

        figures = self.directory / "figures"
        done = run(sys.executable, "-B", "-m", "gihflow.verification", path, "-o", figures)
        self.assertEqual(done.stderr, "")
        self.assertEqual(sorted(file.name for file in figures.iterdir()),
                         sorted(f"{name}.{form}" for name in ("selection", "concentration", "growth", "recall")
                                for form in ("pdf", "png")))
        measured = verification.read(path)
        with rc_context(STYLE):
            for name, (drawn, phase) in verification.FIGURES.items():
                figure = add_caption(drawn(measured, column=True), "A finding.")
                self.assertEqual((figure.get_size_inches()[0], faults(figure)), (COLUMN, []), name)
        count = sum(row["phase"] == "II" for row in result["rows"])
        self.assertIn(f"concentration: {count} of {count} comparisons pass.", done.stdout)
        data = self.directory / "data.h5"
        run("gihflow", "sample", "--quiet", "--chains", "5", "-o", data)
        done = run(sys.executable, "-B", "-m", "gihflow.verification", data, "-o", figures, expect=2)
        self.assertIn("is not a file that gihflow verify wrote", done.stderr)

        self.assertIn("exists", run("gihflow", "verify", "--quiet", "-o", path, expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
