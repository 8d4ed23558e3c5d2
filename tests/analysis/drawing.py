"""python3 -m gihflow: every figure is drawn, and the numbers of the captions are those of a file whose answer is known."""

import contextlib
import io
import os
import struct
import sys
import unittest
import warnings

import h5py
import numpy as np
from gihflow_testing import PROGRAM, DirectoryTest, run
from legible import faults
from run_fixture import write_run

import gihflow
from gihflow import animation, comparison, figures, findings, simplex
from gihflow.panels import COLUMN

NAMES = ["overview", "weights", "attention", "scale", "loss", "energy", "simplex"]


def draw(*arguments, expect=0):
    return run(sys.executable, "-B", "-m", "gihflow", *arguments, expect=expect)


def panels(figure):
    return [axes for axes in figure.axes if axes.get_xscale() == "log"]


class Command(DirectoryTest):
    def setUp(self):
        super().setUp()
        self.path = write_run(self.directory / "run.h5")
        self.output = self.directory / "new" / "figures"

    def test_every_figure(self):
        done = draw(self.path, "-o", self.output)
        self.assertEqual(done.stderr, "")
        self.assertEqual(sorted(path.name for path in self.output.iterdir()),
                         sorted(["captions.md", *(f"{name}.{form}" for name in NAMES for form in ("pdf", "png"))]))
        captions = (self.output / "captions.md").read_text(encoding="utf-8")
        for name, line in zip(NAMES, done.stdout.splitlines(), strict=True):
            self.assertTrue((self.output / f"{name}.pdf").read_bytes().startswith(b"%PDF"))
            png = (self.output / f"{name}.png").read_bytes()
            width, height = struct.unpack(">II", png[16:24])
            self.assertGreaterEqual(width, (COLUMN if name == "simplex" else 7) * 150)
            self.assertGreater(height, 2 * 150)
            sentence = line.removeprefix(f"{name}: ")
            self.assertIn(f"**{name}.** {sentence}\n", captions)
            self.assertTrue(sentence.endswith(".") and ". " not in sentence, sentence)

    def test_same_file_same_bytes(self):
        first, second = self.directory / "first", self.directory / "second"
        for output in (first, second):
            draw(self.path, "-o", output, "--figures", "scale")
        for name in ("scale.pdf", "scale.png", "captions.md"):
            self.assertEqual((first / name).read_bytes(), (second / name).read_bytes())

    def test_choices(self):
        draw(self.path, "-o", self.output, "--figures", "loss,scale", "--formats", "png", "--dpi", "100")
        self.assertEqual(sorted(path.name for path in self.output.iterdir()), ["captions.md", "loss.png", "scale.png"])

    def test_values_that_are_not_finite(self):
        """Runs of the program whose loss is infinite, or that ended because a value was not finite, are drawn like others."""
        small = ("--chains", "20", "--validation-chains", "10", "--length", "20", "--outputs", "20", "--quiet", "-o")
        run(PROGRAM, "train", "--epsilon", "0", "--stages", "c:20,w:20,a:5", *small, self.path, "--force")
        with h5py.File(self.path) as file:
            self.assertTrue(np.isinf(file["stage_1/loss"][()]).all())
        self.assertIn("The loss is not finite", draw(self.path, "-o", self.output, "--formats", "png").stdout)
        self.assertIn("The validation loss is ∞ at the start and ∞ at the end.", (self.output / "captions.md").read_text())
        with h5py.File(write_run(self.path), "a") as file:  # every value of the last outputs, one after the other
            file.attrs["outcome"] = file["stage_3"].attrs["outcome"] = "non_finite"
            for name in ("loss", "validation_loss", "energy_residual", "gradient_norm", "dissipated"):
                file[f"stage_3/{name}"][-5:] = np.nan
            for name in ("c", "log_c_squared", "p", "w", "attention", "a"):
                file[f"stage_3/{name}"][-1] = np.nan
        draw(self.path, "-o", self.output, "--formats", "png")

    def test_bad_input(self):
        (self.directory / "text.h5").write_text("no")
        (self.directory / "file").write_text("")
        write_run(self.directory / "begun.h5", stages=("c",))
        with h5py.File(self.directory / "begun.h5", "a") as file:
            for name, values in ((name, file["stage_1"][name][:1]) for name in list(file["stage_1"])):
                del file["stage_1"][name]
                file["stage_1"][name] = values
        for arguments, said in (
            ([self.directory / "none.h5", "-o", self.output], "no such file"),
            ([self.directory / "text.h5", "-o", self.output], "cannot be read as HDF5"),
            ([self.directory / "begun.h5", "-o", self.output], "nothing to draw"),
            ([self.path, "-o", self.directory / "file"], "is not a directory"),
            ([self.path, "-o", self.output, "--figures", "wieghts"], "'wieghts' is unknown: must be of overview, "),
            ([self.path, "-o", self.output, "--dpi", "0"], "must be an integer from 50 to 2400"),
        ):
            with self.subTest(said):
                done = draw(*arguments, expect=2)
                self.assertIn(said, done.stderr.splitlines()[-1])
                self.assertNotIn("Traceback", done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertFalse(self.output.exists())

    @unittest.skipIf(os.geteuid() == 0 and not os.path.exists("/dev/full"), "root may write anywhere")
    def test_write_error(self):
        self.output.mkdir(parents=True)
        (self.output / "scale.png").symlink_to("/dev/full")
        done = draw(self.path, "-o", self.output, "--figures", "scale", "--formats", "png", expect=4)
        self.assertIn("cannot be written", done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1)


class Findings(DirectoryTest):
    def read(self, **options):
        return gihflow.read(write_run(self.directory / "run.h5", **options))

    def test_captions_of_three_stages(self):
        run = self.read()
        self.assertEqual(findings.weights(run), "Stage I gives all weight to {1,2}: p reaches 0.99 at t = 231.")
        # own-lag weights 1 − 0.1/(1+50) = 0.99804
        self.assertEqual(findings.attention(run), "Stage II brings heads 1 and 2 to 0.9980 and 0.9980 of their attention "
                         "on their own lags and does not move head 3.")
        # a = 0.01 + log10(1 + 9t/5000): half of the way where 1 + 9t/5000 = √10
        half = 5000 * (np.sqrt(10) - 1) / 9
        said = findings.scale(run)
        self.assertTrue(said.startswith("Stage III raises a from 0.01 to 1.01 at t = 5,000, half of the way by t = "))
        self.assertAlmostEqual(float(said.rpartition("= ")[2].rstrip(".").replace(",", "")), half, delta=0.01 * half)
        self.assertIn("The validation loss ends 0.00150 nats above GIH({1,2})'s own loss on the same chains",
                      findings.loss(run))
        self.assertIn("having started at 1.0200.", findings.loss(run))
        self.assertEqual(findings.energy(run).partition(" of each")[0], "The energy law holds to within 2.0·10⁻⁶")
        self.assertEqual(findings.overview(run), "Stage I gives all weight to {1,2} by t = 231, stage II focuses heads 1 "
                         "and 2 on their own lags (0.9980 and 0.9980) and stage III raises a to 1.01, where the "
                         "validation loss is 0.00150 nats above GIH({1,2})'s own.")

    def test_another_winner(self):
        run = self.read(winner=(3,))
        self.assertIn("all weight to {3}: p reaches 0.99 at t = 231.", findings.weights(run))
        self.assertIn("brings head 3 to 0.9980 of its attention on its own lag and does not move heads 1 and 2.",
                      findings.attention(run))

    def test_mixture(self):
        run = self.read(stages=("c",), durations=(100.0,))
        best = 1 / (1 + 6 * np.exp(-np.log(594) / 231 * 100))
        self.assertEqual(findings.weights(run), f"Training ends with most weight on {{1,2}} with p = {best:.3f}, ahead of "
                         f"∅ with {(1 - best) / 6:.3f} at t = 100.")

    def test_joint_run(self):
        run = self.read(stages=("cwa",), durations=(50000.0,))
        self.assertTrue(findings.overview(run).startswith("Training gives all weight to {1,2} by t = 231, focuses heads 1 "
                                                          "and 2 on their own lags (0.9980 and 0.9980) and raises a to 1.01"))
        self.assertEqual(findings.energy(run), "The energy law holds to within 2.0·10⁻⁶ of the loss drop.")

    def test_without_validation_and_baselines(self):
        self.assertIn("The training loss ends 0.00150 nats above GIH", findings.loss(self.read(validation=False)))
        self.assertRegex(findings.loss(self.read(baselines=False)), r"^The training loss goes from 1.0000 to 0.\d{4} nats.$")

    def test_gradient_descent(self):
        self.assertIn("The discrete steps leave the energy law of the flow by up to 2.0·10⁻⁶",
                      findings.energy(self.read(integrator="gd")))

    def test_numbers(self):
        for value, text in ((231.4, "231"), (50000, "50,000"), (0.01, "0.01"), (11.04, "11.0"), (-3.62e-4, "−3.6·10⁻⁴"),
                            (0, "0"), (0.00999999, "0.0100"), (999.6, "1,000"), (float("inf"), "∞"), (1.5e12, "1.5·10¹²")):
            self.assertEqual(findings.number(value), text)
        for value, text in ((0.5, "0.500"), (0.9457, "0.946"), (0.99572, "0.9957"), (1.0, "1.00000000")):
            self.assertEqual(findings.weight(value), text)
        self.assertEqual([findings.roman(n) for n in (1, 4, 9, 14)], ["I", "IV", "IX", "XIV"])
        self.assertEqual(findings.set_name(()), "∅")


class Drawings(DirectoryTest):
    def read(self, **options):
        return gihflow.read(write_run(self.directory / "run.h5", **options))

    def test_panels_are_the_stages(self):
        run = self.read()
        for name, count in zip(NAMES, (12, 1, 1, 1, 3, 3)):
            drawn = panels(figures.FIGURES[name](run))
            self.assertEqual(len(drawn), count, name)
        self.assertEqual(len(panels(figures.weights(self.read(stages=("a",), durations=(10.0,))))), 1)

    def test_one_column_of_a_page(self):
        """Everything that is written has its size, stands within the figure and covers no other text."""
        for options in ({}, dict(stages=("cwa",), durations=(50000.0,)), dict(heads=8, window=8, degree=2, winner=(2, 5)),
                        dict(stages=("c", "w", "cwa"), durations=(3.0, 1e9, 10.0))):
            run = self.read(**options)
            for name in NAMES:
                with self.subTest(f"{name} of {options}"):
                    figure = figures.FIGURES[name](run, column=True)
                    self.assertEqual(figure.get_size_inches()[0], COLUMN)
                    self.assertEqual(faults(figure, may_cover=name == "simplex"), [])
        stages = [comparison.ComparedStage("c", 3.0, None, None, np.array([0.0, 1.0, 3.0]), np.array([1.0, 1.0, 100.0]), {})] * 2
        figure = comparison.sharpness(comparison.Comparison(np.array([4.0, 0.2]), stages), column=True)
        self.assertEqual((figure.get_size_inches()[0], faults(figure)), (COLUMN, []))

    def test_curves_are_the_data(self):
        run = self.read()
        (axes,) = panels(figures.scale(run))
        line = axes.get_lines()[0]
        np.testing.assert_array_equal(line.get_xdata(), run.stages[2].t[1:])
        np.testing.assert_array_equal(line.get_ydata(), run.stages[2].a[1:])
        levels = {round(float(line.get_ydata()[0]), 9) for axes in panels(figures.loss(run)) for line in axes.get_lines()}
        for value in (run.validation_baselines.gih_loss, run.validation_baselines.posterior_loss,
                      run.validation_baselines.entropy_floor):
            self.assertIn(round(value, 9), levels)

    def test_path_through_the_simplex(self):
        """The winner's corner is the left one: from the middle straight to it, at the shares that the file has."""
        run = self.read()
        sets = findings.heaviest(run, 3)
        self.assertEqual(run.subsets[sets[0]], (1, 2))
        places, t = simplex.path(run, sets)
        p = run.stages[0].p[:, sets]
        p = p / p.sum(axis=1, keepdims=True)
        np.testing.assert_array_equal(t, run.stages[0].t)
        np.testing.assert_allclose(places[0], [0.5, np.sqrt(3) / 6])
        np.testing.assert_allclose(places[-1], [0, 0], atol=1e-12)
        np.testing.assert_allclose(places[:, 0], p[:, 1] + p[:, 2] / 2)
        np.testing.assert_allclose(places[:, 1], p[:, 2] * np.sqrt(3) / 2)
        chosen = [run.subsets.index(name) for name in ((1,), (2,), (3,))]
        self.assertIn("of {3}; the sets drawn have 0.429 of the weight at the start", findings.simplex(run, chosen))
        self.assertIn("{3}", [text.get_text() for text in simplex.simplex(run, chosen).axes[0].texts])

    def test_when_descent_ceases_to_be_stable(self):
        t, eigenvalue = np.array([0.0, 1.0, 3.0]), np.array([1.0, 1.0, 100.0])
        stage = comparison.ComparedStage("c", 3.0, None, None, t, eigenvalue, {})
        for rate, time in ((0.2, 2.0), (0.01, None), (4.0, 0.0)):  # 2/rate is 10, halfway on a logarithmic scale; 200; 0.5
            self.assertEqual(comparison.leaving_time(stage, rate), time)
        found = comparison.Comparison(np.array([4.0, 0.2, 0.01]), [stage])
        self.assertEqual(comparison.sharpness_finding(found), "Gradient descent is stable along the flow, below λ = 2/η, with "
                         "η = 4 nowhere, η = 0.2 until t = 2 and η = 0.01 throughout.")
        comparison.sharpness(found).canvas.draw()

    def test_film_reveals_what_has_come(self):
        """Pictures are the overview, bright where the run has not come to, and more of it in each than in the one before."""
        run = self.read()
        pictures = list(animation.frames(run, 6, dpi=60))
        whole = pictures[-1].astype(int)
        dark = [(picture < 100).sum() for picture in pictures]
        self.assertEqual(dark[:-1], sorted(dark[:-1]), "the last one has no line where the run is")
        self.assertLess(dark[0], 0.8 * dark[-1])
        for picture in pictures:
            self.assertEqual((picture.shape[0] % 2, picture.shape[1] % 2, picture.shape), (0, 0, whole.shape))

    def test_film_is_written(self):
        path = write_run(self.directory / "run.h5")
        film = self.directory / "run.gif"
        command = [str(path), "--seconds", "0.4", "--rate", "5", "--dpi", "50", "-o"]
        run(sys.executable, "-B", "-m", "gihflow.animation", *command, film)
        self.assertTrue(film.read_bytes().startswith(b"GIF89a"))
        for name, code, words in (("run.avi", 2, "must end in .gif or .mp4"), ("nowhere/run.gif", 4, "cannot be written")):
            with contextlib.redirect_stderr(io.StringIO()) as said:
                self.assertEqual(animation.main([*command, str(self.directory / name)]), code)
            self.assertIn(words, said.getvalue())

    def test_energy_shows_the_sign(self):
        axes = panels(figures.energy(self.read()))[0]
        marked = {line.get_marker(): line for line in axes.get_lines() if line.get_marker() in "^v"}
        self.assertEqual((len(marked["^"].get_xdata()), len(marked["v"].get_xdata())), (1, 58))
        np.testing.assert_allclose(marked["v"].get_ydata(), 2e-6, rtol=1e-9)

    def test_awkward_runs(self):
        for drawn, options in (
            (("overview", "attention"), dict(heads=1, window=1, degree=1, winner=(1,))),
            (("weights", "attention"), dict(heads=8, window=8, degree=3, winner=(2, 5, 7))),
            (("attention",), dict(heads=3, window=2, winner=(1, 2))),
            (("attention",), dict(shifted=True)),
            (NAMES, dict(stages=("a",), durations=(1e-3,))),
            (("loss", "scale"), dict(stages=("c", "w", "a", "w", "a"), durations=(100, 10, 1e9, 5, 5))),
            (("loss",), dict(validation=False, baselines=False)),
        ):
            run = self.read(**options)
            for name in drawn:
                with self.subTest(f"{name} of {options}"), warnings.catch_warnings():
                    warnings.simplefilter("error")
                    figures.FIGURES[name](run).canvas.draw()

    def test_infinite_gih_loss_is_left_out(self):
        write_run(self.directory / "run.h5")
        with h5py.File(self.directory / "run.h5", "a") as file:
            file["baselines/validation/gih_loss"][()] = np.inf
        run = gihflow.read(self.directory / "run.h5")
        figures.loss(run).canvas.draw()
        self.assertNotIn("GIH", findings.loss(run))


@unittest.skipUnless(PROGRAM.is_file(), "built without the program")
class Trained(DirectoryTest):
    def test_run_of_the_program(self):
        """From `gihflow train` to figures; the numbers once more, straight from the file."""
        path = self.directory / "run.h5"
        run("gihflow", "train", "-o", path, "--chains", "500", "--validation-chains", "100", "--outputs", "50",
            "--stages", "c:200,w:500,a:200", "--quiet")
        captions = dict(line.split(": ", 1) for line in
                        draw(path, "-o", self.directory / "figures", "--formats", "png").stdout.splitlines())
        self.assertEqual(list(captions), NAMES)
        with h5py.File(path) as file:
            best = int(np.argmax(file["stage_3/p"][-1]))
            heads = ",".join(str(head + 1) for head in np.flatnonzero(file["subsets"][best]))
            p, t = file["stage_1/p"][:, best], file["stage_1/t"][()]
            after = int(np.argmax(p >= 0.99))
            said = captions["weights"]
            self.assertTrue(said.startswith(f"Stage I gives all weight to {{{heads}}}: p reaches 0.99 at t = "), said)
            time = float(said.rpartition("= ")[2].rstrip("."))
            self.assertTrue(t[after - 1] * 0.995 <= time <= t[after] * 1.005, (t[after - 1], time, t[after]))
            a = file["stage_3/a"][()]
            self.assertIn(f"from {a[0]:.2g} to {a[-1]:.3g} at t = 200,", captions["scale"])
            end, line = file["stage_3/validation_loss"][-1], file["baselines/validation/gih_loss"][()]
            self.assertIn(f"{end:.4f} against {line:.4f}", captions["loss"])
            worst = max(np.max(np.abs(file[stage]["energy_residual"][()])) / abs(np.ptp(file[stage]["loss"][()][[0, -1]]))
                        for stage in ("stage_1", "stage_2", "stage_3"))
            mantissa, exponent = f"{worst:.1e}".split("e")
            self.assertIn(f"holds to within {mantissa}·10{findings.superscript(int(exponent))} of", captions["energy"])
