"""The program against the definitions of loss, gradient and gradient descent, written a second time in NumPy."""

import itertools
import json
import unittest

import definitions
import h5py
import numpy as np
from definitions import PAPER, REFERENCE, Conventions
from gihflow_testing import DirectoryTest, run

ENGINES = ("dense", "sparse", "reference")


def options_of(conventions):
    return [
        "--boundary", conventions.boundary, "--head-windows", conventions.head_windows,
        "--head-normalization", conventions.head_normalization, "--readout", conventions.readout,
        "--epsilon", conventions.epsilon,
    ]  # fmt: skip


def write_data(path, tokens, targets, vocabulary):
    with h5py.File(path, "w") as file:
        file.attrs["vocabulary_size"] = vocabulary
        file["tokens"] = tokens
        if targets is not None:
            file["targets"] = targets


def write_parameters(path, c, w, a, degree):
    with h5py.File(path, "w") as file:
        file.attrs["degree"] = degree
        file["c"], file["w"], file["a"] = c, w, a


class Definitions(DirectoryTest):
    def evaluate(self, conventions, tokens, targets, vocabulary, point, engine):
        data, parameters = self.directory / "data.h5", self.directory / "parameters.h5"
        write_data(data, tokens, targets, vocabulary)
        write_parameters(parameters, *point, conventions.degree)
        done = run("gihflow", "evaluate", "--data", data, "--parameters", parameters, "--engine", engine, "--json",
                   "--quiet", *options_of(conventions))
        return json.loads(done.stdout)

    def check(self, conventions, tokens, targets, vocabulary, point):
        laws = np.eye(vocabulary)[tokens[:, -1]] if targets is None else targets
        loss, (c, w, a) = definitions.loss_and_gradient(conventions, *point, tokens, laws)
        expected = np.concatenate([c, w.ravel(), [a]])
        for engine in ENGINES:
            with self.subTest(conventions=conventions, engine=engine):
                answer = self.evaluate(conventions, tokens, targets, vocabulary, point, engine)
                gradient = answer["gradient"]
                found = np.concatenate([gradient["c"], np.ravel(gradient["w"]), [gradient["a"]]])
                self.assertEqual(answer["engine"], engine)
                self.assertEqual(np.shape(gradient["w"]), w.shape)
                self.assertLess(abs(answer["loss"] - loss), 1e-12)
                self.assertLess(np.abs(found - expected).max(), 1e-11 * max(1.0, np.abs(expected).max()))

    def random_point(self, generator, conventions, a):
        signs = generator.choice([-1.0, 1.0], len(conventions.subsets()))
        return (signs * generator.uniform(0.1, 1.0, len(signs)),
                generator.normal(0.0, 1.5, (conventions.heads, conventions.window)), a)

    def test_evaluate_in_all_conventions(self):
        generator = np.random.default_rng(1)
        tokens, targets = definitions.draw_chains(generator, 17, 25)
        kinds = itertools.product(("masked", "partial"), ("shared", "shifted"), ("none", "l2"), ("log", "softmax"))
        for i, (boundary, windows, normalization, readout) in enumerate(kinds):
            conventions = Conventions(3, 3, 2, boundary, windows, normalization, readout)
            self.check(conventions, tokens, targets if i % 3 else None, 3,
                       self.random_point(generator, conventions, 2.5))

    def test_evaluate_other_sizes(self):
        generator = np.random.default_rng(2)
        for vocabulary, window, heads, degree, length, a, boundary in (
            (2, 1, 1, 0, 9, 1.0, "masked"), (5, 2, 4, 3, 30, -3.0, "masked"), (4, 4, 2, 2, 3, 8.0, "partial"),
            (2, 3, 3, 3, 40, 0.0, "partial"),
        ):  # fmt: skip
            conventions = Conventions(window, heads, degree, boundary, "shifted" if heads > window else "shared")
            tokens, targets = definitions.draw_chains(generator, 11, length, vocabulary)
            self.check(conventions, tokens, targets, vocabulary, self.random_point(generator, conventions, a))

    def descend(self, conventions, preset, tokens, targets, point, rate, steps):
        data, parameters = self.directory / "data.h5", self.directory / "start.h5"
        output = self.directory / f"{preset}.h5"
        write_data(data, tokens, targets, 3)
        write_parameters(parameters, *point, conventions.degree)
        run("gihflow", "train", "--preset", preset, "--method", "gd", "--learning-rate", rate, "--stages",
            f"cwa:{steps * rate}", "--data", data, "--parameters", parameters, "--outputs", 10 * steps,
            "--first-output", rate, "--quiet", "-o", output)
        laws = np.eye(3)[tokens[:, -1]] if targets is None else targets
        path, losses = definitions.gradient_descent(conventions, *point, tokens, laws, rate, steps)
        with h5py.File(output) as file:
            stage = file["stage_1"]
            taken = np.rint(stage["t"][()] / rate).astype(int)
            self.assertEqual(taken[0], 0)
            self.assertEqual(taken[-1], steps)
            self.assertGreater(len(taken), 0.9 * steps)
            self.assertEqual(stage.attrs["accepted_steps"], steps)
            for i, k in enumerate(taken):
                c, w, a = path[k]
                difference = max(np.abs(stage["c"][i] - c).max(), np.abs(stage["w"][i] - w).max(),
                                 abs(stage["a"][i] - a), abs(stage["loss"][i] - losses[k]))
                self.assertLess(difference, 1e-9, f"step {k}")
        return path

    def test_first_hundred_joint_steps_of_the_reference_run(self):
        tokens, _ = definitions.draw_chains(np.random.default_rng(3), 40, 40)
        start = definitions.initial_point(REFERENCE, other=0.1)
        path = self.descend(REFERENCE, "reference", tokens, None, start, 1.0, 100)
        # Long enough to be no formality: descent at this rate leaves the flow, which conserves C_D.
        self.assertGreater((path[-1][0] ** 2).sum(), 1.5 * (start[0] ** 2).sum())

    def test_joint_steps_of_the_paper(self):
        tokens, targets = definitions.draw_chains(np.random.default_rng(4), 40, 40)
        self.descend(PAPER, "paper", tokens, targets, definitions.initial_point(PAPER), 0.25, 60)


if __name__ == "__main__":
    unittest.main()
