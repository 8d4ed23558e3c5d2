"""gihflow rank against exact rational arithmetic, and what it says about input it cannot use."""

import itertools
import json
import math
import unittest
from fractions import Fraction

import h5py
import numpy as np

from gihflow_testing import DirectoryTest, run


def dirichlet_rows(generator, alpha, shape):
    """Dirichlet(alpha) rows by way of logarithms of gamma variates, clamped at the smallest normal double."""
    logs = np.log(generator.gamma(alpha + 1.0, size=shape)) + np.log(generator.random(shape)) / alpha
    logs -= logs.max(axis=-1, keepdims=True)
    rows = np.exp(logs)
    rows /= rows.sum(axis=-1, keepdims=True)
    return np.maximum(rows, np.finfo(float).tiny)


def stationary(transition):
    """Stationary law by elimination, exact; the diagonal is what the other entries of a row leave."""
    P = [list(row) for row in transition]
    n = len(P)
    for k in range(n - 1, 0, -1):
        leave = sum(P[k][:k])
        for i in range(k):
            P[i][k] /= leave
            for j in range(k):
                if i != j:
                    P[i][j] += P[i][k] * P[k][j]
    mu = [Fraction(1)]
    for k in range(1, n):
        mu.append(sum(mu[i] * P[i][k] for i in range(k)))
    total = sum(mu)
    return [x / total for x in mu]


def informations(kernel, parents, window, sets):
    """{S: (I(S), modified I(S))} of one chain, formulas (6.1) and (6.2), in fractions."""
    d = kernel.shape[1]
    pi = [[Fraction(float(x)) for x in row] for row in kernel]
    oldest = parents[-1]

    def row(past):  # past[0] is the newest token
        index = 0
        for lag in parents:
            index = index * d + past[lag - 1]
        return pi[index]

    states = list(itertools.product(range(d), repeat=oldest))
    number = {state: i for i, state in enumerate(states)}
    transition = [[Fraction(0)] * len(states) for _ in states]
    for state in states:
        for e in range(d):
            transition[number[state]][number[(e,) + state[:-1]]] += row(state)[e]
    law = dict(zip(states, stationary(transition)))
    length = max(window, oldest)
    for have in range(oldest, length):
        law = {(e,) + past: mass * row(past)[e] for past, mass in law.items() for e in range(d)}
    joint = {}
    for past, mass in law.items():
        for e in range(d):
            joint[e, past] = mass * row(past)[e]
    token = [sum(mass for (e, _), mass in joint.items() if e == f) for f in range(d)]
    result = {}
    for lags in sets:
        both, alone = {}, {}
        for (e, past), mass in joint.items():
            z = tuple(past[lag - 1] for lag in lags)
            both[e, z] = both.get((e, z), 0) + mass
            alone[z] = alone.get(z, 0) + mass
        standard = modified = Fraction(0)
        for z, mass in alone.items():
            chi_square = sum(both[e, z] ** 2 / mass**2 / token[e] for e in range(d)) - 1
            standard += mass * chi_square
            modified += mass**2 * chi_square
        result[lags] = float(standard), float(modified)
    return result


class Rank(DirectoryTest):
    def kernels(self, name, kernels, parents):
        path = self.directory / name
        with h5py.File(path, "w") as file:
            file["kernels"] = kernels
            file.attrs["parents"] = parents
        return path

    def ranked(self, *options, **keywords):
        return json.loads(run("gihflow", "rank", "--json", *options, **keywords).stdout)

    def test_against_exact_fractions(self):
        generator = np.random.default_rng(11)
        cases = [
            (3, [1, 2], 3, 2, 1.0, 8), (3, [1, 2], 3, 2, 0.1, 8), (3, [1, 2], 3, 2, 0.01, 8),
            (2, [1, 3], 2, 2, 0.1, 6),  # parents beyond the window
            (2, [2], 4, 3, 0.01, 6),  # windows beyond the parents
        ]
        for d, parents, window, degree, alpha, chains in cases:
            with self.subTest(d=d, parents=parents, window=window, alpha=alpha):
                kernels = dirichlet_rows(generator, alpha, (chains, d ** len(parents), d))
                path = self.kernels("kernels.h5", kernels, parents)
                found = self.ranked("--kernels", path, "--window", window, "--degree", degree)
                sets = [s for k in range(degree + 1) for s in itertools.combinations(range(1, window + 1), k)]
                self.assertEqual([tuple(s["parents"]) for s in found["sets"]], sets)
                exact = [informations(kernel, parents, window, sets) for kernel in kernels]
                for entry in found["sets"]:
                    values = np.array([one[tuple(entry["parents"])] for one in exact])
                    mean = values.mean(axis=0)
                    error = values.std(axis=0, ddof=1) / math.sqrt(chains)
                    self.assertAlmostEqual(entry["chi_square"], mean[0], delta=1e-10)
                    self.assertAlmostEqual(entry["modified"], mean[1], delta=1e-10)
                    self.assertAlmostEqual(entry["chi_square_standard_error"], error[0], delta=1e-10)
                    self.assertAlmostEqual(entry["modified_standard_error"], error[1], delta=1e-10)
                means = {s: np.mean([one[s][1] for one in exact]) for s in sets}
                best, second = sorted(sets, key=lambda s: -means[s])[:2]
                self.assertEqual(tuple(found["information_set"]), best)
                gaps = np.array([one[best][1] - one[second][1] for one in exact])
                self.assertAlmostEqual(found["gap"], gaps.mean(), delta=1e-10)
                self.assertAlmostEqual(found["gap_standard_error"], gaps.std(ddof=1) / math.sqrt(chains),
                                       delta=1e-10)

    def test_from_the_prior(self):
        found = self.ranked("--chains", 2000)
        self.assertEqual(list(found), ["sets", "information_set", "gap", "gap_standard_error", "gap_z", "selected",
                                       "critical_logit", "warning"])
        self.assertEqual(list(found["sets"][0]), ["parents", "chi_square", "chi_square_standard_error", "modified",
                                                  "modified_standard_error", "place", "place_by_chi_square", "uniformity"])
        self.assertEqual([s["place"] for s in found["sets"]], [7, 6, 3, 5, 1, 4, 2])
        self.assertEqual([s["place_by_chi_square"] for s in found["sets"]], [7, 5, 4, 6, 1, 3, 2])
        self.assertIsNone(found["sets"][0]["uniformity"])
        self.assertAlmostEqual(found["sets"][4]["uniformity"], 9 * found["sets"][4]["modified"] / found["sets"][4]["chi_square"])
        self.assertEqual([s["parents"] for s in found["sets"]], [[], [1], [2], [3], [1, 2], [1, 3], [2, 3]])
        self.assertEqual(found["sets"][0]["modified"], 0)
        self.assertEqual(found["information_set"], [1, 2])
        self.assertEqual(found, self.ranked("--chains", 2000, "--threads", 3))
        self.assertNotEqual(found, self.ranked("--chains", 2000, "--seed", 2))
        table = run("gihflow", "rank", "--chains", 2000).stdout
        first = table.splitlines()[1].split()
        self.assertEqual(first[:2], ["{1,2}", "S*"])
        self.assertRegex(table, r"information set +\{1,2\}\n")
        self.assertRegex(table, r"gap +0\.\d+ ± 0\.\d+ to \{[\d,]+\}, z = \d+")
        self.assertIn("for no single lag", table)

    def test_what_training_selects(self):
        """(7.4): w* is that of predict in infinite context on the same kernels; a warning where training selects another set."""
        three = ("--parents", "1,2,3", "--degree", "3")
        kernels = self.directory / "kernels.h5"
        run("gihflow", "sample", *three[:2], "--chains", 500, "--kernels-output", kernels, "-o", self.directory / "chains.h5")
        found = self.ranked("--kernels", kernels, "--degree", 3)
        said = json.loads(run("gihflow", "predict", "--json", "--kernels", kernels, "--degree", 3, "--context", "infinite", "--stages",
                              "c:10").stdout)
        lines = {line["name"]: line["trained"] for line in said["predictions"]}
        self.assertEqual(found["information_set"], [1, 2, 3])
        self.assertAlmostEqual(found["critical_logit"], lines["critical_logit"], delta=1e-6)
        self.assertGreater(found["critical_logit"], 3)
        self.assertEqual("{" + ",".join(map(str, found["selected"])) + "}", lines["takeover_set"])
        self.assertEqual(found["warning"], said["warning"])
        self.assertIn("attention first", found["warning"])
        table = run("gihflow", "rank", "--kernels", kernels, "--degree", 3).stdout
        self.assertIn(f"above {found['critical_logit']:.6g} training selects it", table)
        self.assertIn("warning: " + found["warning"], table)
        two = self.ranked("--chains", 2000)
        self.assertEqual(two["selected"], [1, 2])
        self.assertIsNone(two["warning"])
        self.assertLess(two["critical_logit"], 3)
        told = run("gihflow", "rank", "--kernels", kernels, "--alpha", 0.5).stderr
        self.assertEqual(told.count("alpha has no effect"), 1)
        # Too many windows to look at: no answer, and none is printed.
        many = self.ranked("--vocabulary", 2, "--window", 12, "--chains", 40)
        self.assertIsNone(many["critical_logit"])
        self.assertNotIn("own logits", run("gihflow", "rank", "--vocabulary", 2, "--window", 12, "--chains", 40).stdout)

    def test_doubly_stochastic(self):
        permutations = np.array([np.eye(4)[p] for p in ([1, 2, 3, 0], [0, 1, 3, 2], [3, 0, 1, 2])])
        weights = np.random.default_rng(3).dirichlet(np.ones(3), size=5)
        path = self.kernels("kernels.h5", np.einsum("nk,kij->nij", weights, permutations), [1])
        found = self.ranked("--kernels", path, "--degree", 1)
        for entry in found["sets"]:
            self.assertAlmostEqual(entry["modified"], entry["chi_square"] / 4, delta=1e-12)
        self.assertIn("for every single lag", run("gihflow", "rank", "--kernels", path, "--degree", 1).stdout)

    def test_both_orders(self):
        # A larger set never has less standard information, but may have less modified information.
        table = run("gihflow", "rank", "--alpha", 1, "--parents", 1, "--chains", 500).stdout
        self.assertRegex(table, r"orders differ +\{1,2\} is no\. 2 by modified and no\. 1 by standard")

    def test_one_chain(self):
        found = self.ranked("--chains", 1)
        self.assertIsNone(found["gap_standard_error"])
        self.assertIsNone(found["sets"][1]["modified_standard_error"])
        run("gihflow", "rank", "--chains", 1)

    def refused(self, *options):
        done = run("gihflow", "rank", *options, expect=2)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_bad_input(self):
        reducible = self.kernels("reducible.h5", np.stack([np.full((2, 2), 0.5), np.eye(2)]), [1])
        self.assertIn("kernels, chain 1: has 2 closed classes of states: must be one", self.refused("--kernels", reducible))
        self.assertIn("chains 7: must be 2", self.refused("--kernels", reducible, "--chains", 7))
        self.assertIn("parents 1,2: must be 1", self.refused("--kernels", reducible, "--parents", "1,2"))
        self.assertRegex(self.refused("--vocabulary", 60, "--degree", 3, "--window", 25), r"--chains 9000: need up to .* TiB of memory: must fit in the .* GiB")
        self.assertIn("--window 0: must be", self.refused("--window", 0))
        self.assertIn("--alpha 0: must be", self.refused("--alpha", 0))
        self.assertIn("no such option", self.refused("--epsilon", 1))
        self.assertIn("missing.h5", self.refused("--kernels", self.directory / "missing.h5"))

    def test_a_class_beside_a_transient_state(self):
        kernel = np.array([[[0.2, 0.8, 0], [0.6, 0.4, 0], [0.3, 0.3, 0.4]]])
        inner = self.ranked("--kernels", self.kernels("inner.h5", kernel[:, :2, :2], [1]))
        for one, other in zip(self.ranked("--kernels", self.kernels("all.h5", kernel, [1]))["sets"], inner["sets"]):
            self.assertAlmostEqual(one["modified"], other["modified"], delta=1e-14)


if __name__ == "__main__":
    unittest.main()
