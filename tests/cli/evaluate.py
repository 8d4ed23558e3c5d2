"""`evaluate` against the definitions of docs/theory.md §2, written down here once more and differentiated by complex
steps, on files that this script writes."""

import itertools
import json
import unittest

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, run

CONVENTIONS = {
    "paper": dict(boundary="masked", windows="shared", norm="none", readout="log", epsilon=0.01),
    "reference": dict(boundary="partial", windows="shifted", norm="l2", readout="softmax", epsilon=0.01),
}


def subsets(heads, degree):
    """[H]_{<=D}, by size and then lexicographically."""
    return [set(s) for size in range(degree + 1) for s in itertools.combinations(range(heads), size)]


def features(tokens, position, w, head, d, rule):
    """v_l^{(h)} of (2.1) for the 1-based position l of the sequence x_1 ... x_L, with the position L+1 as the query."""
    v = np.zeros(d, complex)
    first = head if rule["windows"] == "shifted" else 0
    lags = [first + i + 1 for i in range(w.shape[1])]
    exists = [i for i, lag in enumerate(lags) if position - lag >= 1]
    if not exists:
        return v
    weights = np.exp(w[head, exists] - max(w[head, exists].real))
    weights = weights / weights.sum()
    for i, weight in zip(exists, weights):
        v[tokens[position - lags[i] - 1]] += weight
    if rule["norm"] == "l2":
        v = v / (np.sqrt((v * v).sum()) + 1e-7)
    return v


def sequence_loss(tokens, target, c, w, a, degree, rule):
    """(2.1) to (2.4) for one sequence, straight from the definitions; tokens [L+1], the label last."""
    d, length, heads = len(target), len(tokens) - 1, w.shape[0]
    widest = w.shape[1] + (heads - 1 if rule["windows"] == "shifted" else 0)
    p = c**2 / (c**2).sum()
    positions = range(widest + 1 if rule["boundary"] == "masked" else 1, length + 1)
    query = [features(tokens, length + 1, w, h, d, rule) for h in range(heads)]
    scores = []
    for position in positions:
        overlap = [(features(tokens, position, w, h, d, rule) * query[h]).sum() for h in range(heads)]
        scores.append(a * sum(p[i] * np.prod([overlap[h] for h in s]) for i, s in enumerate(subsets(heads, degree))))
    scores = np.array(scores)
    attention = np.exp(scores - max(scores.real))
    attention = attention / attention.sum()
    y = np.zeros(d, complex)
    for weight, position in zip(attention, positions):
        y[tokens[position - 1]] += weight
    if rule["readout"] == "log":
        return -(target * np.log((y + rule["epsilon"]) / (1 + d * rule["epsilon"]))).sum()
    return -(target * (y - np.log(np.exp(y).sum()))).sum()


def evaluation(tokens, targets, c, w, a, degree, rule, step=1e-100):
    """Per-sequence losses [N] and gradients [N, parameters] in the order c, w, a."""
    flat = np.concatenate([c, w.ravel(), [a]]).astype(complex)
    losses, gradients = [], []
    for row, target in zip(tokens, targets):
        def loss(x):
            return sequence_loss(row, target, x[:len(c)], x[len(c):-1].reshape(w.shape), x[-1], degree, rule)
        losses.append(loss(flat).real)
        gradient = []
        for k in range(len(flat)):
            shifted = flat.copy()
            shifted[k] += 1j * step
            gradient.append(loss(shifted).imag / step)
        gradients.append(gradient)
    return np.array(losses), np.array(gradients)


class Evaluate(DirectoryTest):
    def problem(self, seed, d, length, chains, window, heads, degree):
        random = np.random.default_rng(seed)
        tokens = random.integers(0, d, (chains, length + 1))
        targets = random.dirichlet(np.full(d, 0.5), chains)
        n = len(subsets(heads, degree))
        c = random.normal(0, 1, n)
        w = random.normal(0, 1, (heads, window))
        return tokens, targets, c, w, float(random.normal(0, 3))

    def write(self, tokens, targets, c, w, a, degree, d):
        with h5py.File(self.directory / "data.h5", "w") as file:
            file["tokens"] = tokens.astype(np.int32)
            file.attrs["vocabulary_size"] = d
            if targets is not None:
                file["targets"] = targets
        with h5py.File(self.directory / "parameters.h5", "w") as file:
            file["c"], file["w"], file["a"] = c, w, a
            file.attrs["degree"] = degree

    def evaluate(self, *options):
        done = run("gihflow", "evaluate", "--data", "data.h5", "--parameters", "parameters.h5", "--json", *options,
                   cwd=self.directory)
        self.assertEqual(done.stderr, "")
        return json.loads(done.stdout)

    def compare(self, found, losses, gradients, c, w, tolerance):
        count = len(losses)

        def flat(blocks):
            return np.concatenate([blocks["c"], np.ravel(blocks["w"]), [blocks["a"]]])

        expected = gradients.mean(axis=0)
        self.assertLessEqual(abs(found["loss"] - losses.mean()), tolerance * (1 + abs(losses.mean())))
        # A gradient that is zero comes out as rounding of the terms that cancel in it.
        scale = abs(expected).max() + 1e-4
        self.assertLessEqual(abs(flat(found["gradient"]) - expected).max(), tolerance * scale)
        self.assertEqual(np.shape(found["gradient"]["w"]), w.shape)
        self.assertEqual(np.shape(found["gradient"]["c"]), c.shape)
        if count > 1:
            errors = gradients.std(axis=0, ddof=1) / np.sqrt(count)
            self.assertLessEqual(abs(flat(found["gradient_standard_error"]) - errors).max(), tolerance * (errors.max() + 1e-5))
            self.assertLessEqual(abs(found["loss_standard_error"] - losses.std(ddof=1) / np.sqrt(count)), tolerance)

    def check(self, seed, options, rule, d=3, length=14, chains=5, window=2, heads=2, degree=2):
        tokens, targets, c, w, a = self.problem(seed, d, length, chains, window, heads, degree)
        self.write(tokens, targets, c, w, a, degree, d)
        losses, gradients = evaluation(tokens, targets, c, w, a, degree, rule)
        for engine in ("dense", "sparse", "reference"):
            with self.subTest(options=options, engine=engine):
                found = self.evaluate("--engine", engine, *options)
                self.assertEqual(found["engine"], engine)
                self.compare(found, losses, gradients, c, w, 1e-11)

    def test_presets(self):
        for preset, rule in CONVENTIONS.items():
            self.check(1, ["--preset", preset], rule)

    def test_single_conventions(self):
        paper = CONVENTIONS["paper"]
        self.check(2, ["--boundary", "partial"], {**paper, "boundary": "partial"})
        self.check(3, ["--head-windows", "shifted"], {**paper, "windows": "shifted"})
        self.check(4, ["--head-normalization", "l2"], {**paper, "norm": "l2"})
        self.check(5, ["--readout", "softmax"], {**paper, "readout": "softmax"})
        self.check(6, ["--epsilon", "0.1"], {**paper, "epsilon": 0.1})

    def test_shapes(self):
        paper = CONVENTIONS["paper"]
        self.check(7, [], paper, d=2, length=5, chains=1, window=3, heads=1, degree=1)
        self.check(8, [], paper, d=5, length=9, chains=3, window=3, heads=3, degree=1)
        self.check(9, ["--boundary", "partial"], {**paper, "boundary": "partial"}, d=2, length=2, chains=3, window=4,
                   heads=2, degree=1)
        # One position to attend to, or features that do not depend on it: the gradient is zero.
        self.check(13, [], paper, d=2, length=4, window=3)
        self.check(14, [], paper, degree=0)

    def test_undefined_is_null(self):
        tokens, targets, c, w, a = self.problem(10, 3, 10, 1, 2, 2, 1)
        self.write(tokens, targets, c, w, a, 1, 3)
        found = self.evaluate()
        self.assertIsNone(found["loss_standard_error"])
        self.assertIsNone(found["gradient_standard_error"]["a"])
        self.assertTrue(all(x is None for x in found["gradient_standard_error"]["c"]))

    def test_without_targets_the_label_counts(self):
        tokens, _, c, w, a = self.problem(11, 3, 12, 4, 2, 2, 2)
        self.write(tokens, np.eye(3)[tokens[:, -1]], c, w, a, 2, 3)
        one_hot = self.evaluate()
        self.write(tokens, None, c, w, a, 2, 3)
        self.assertEqual(self.evaluate(), one_hot)
        self.assertEqual(self.evaluate("--labels", "sampled"), one_hot)

    def test_automatic_engine_is_never_the_reference(self):
        tokens, targets, c, w, a = self.problem(12, 3, 12, 4, 2, 2, 2)
        self.write(tokens, targets, c, w, a, 2, 3)
        self.assertIn(self.evaluate()["engine"], ("dense", "sparse"))
        table = run("gihflow", "evaluate", "--data", "data.h5", "--parameters", "parameters.h5", cwd=self.directory)
        self.assertIn("w head 2 lag 1", table.stdout)

    def test_a_run_gives_its_final_parameters(self):
        run("gihflow", "train", "--chains", "50", "--length", "20", "--stages", "c:10,a:1", cwd=self.directory)
        found = json.loads(run("gihflow", "evaluate", "--parameters", "run.h5", "--chains", "50", "--length", "20",
                               "--json", cwd=self.directory).stdout)
        with h5py.File(self.directory / "run.h5") as file:
            self.assertAlmostEqual(found["loss"], file["stage_2/loss"][-1], delta=1e-14)
            self.assertAlmostEqual(found["loss_standard_error"], file["standard_errors/loss"][()], delta=1e-14)
        note = run("gihflow", "evaluate", "--parameters", "run.h5", "--readout", "softmax", cwd=self.directory).stderr
        self.assertEqual(note, "note: run.h5 was trained with readout log (here softmax)\n")

    def test_arrays_that_the_model_has_not_or_the_file(self):
        small = ("--chains", "5", "--length", "10", "--validation-chains", "0")
        run("gihflow", "train", *small, "--stages", "c:1", "-o", "paper.h5", cwd=self.directory)
        run("gihflow", "train", *small, "--preset", "full", "--stages", "c:1", "-o", "full.h5", cwd=self.directory)
        arrays = {"query": "--scores tokens", "key": "--scores tokens", "value": "--values matrix",
                  "gain": "--head-normalization layer", "bias": "--head-normalization layer"}
        for path, has, options in (("paper.h5", "has no", ("--preset", "full")), ("full.h5", "has", ())):
            for command in ("evaluate", "train"):
                refused = run("gihflow", command, "--parameters", path, *options, cwd=self.directory, expect=2)
                self.assertEqual(refused.stderr.splitlines(), [f"error: --parameters {path}: {has} /{name}, which {option} needs"
                                                               for name, option in arrays.items()])


if __name__ == "__main__":
    unittest.main()
