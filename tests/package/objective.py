"""gihflow.Objective: flat vectors, derivatives, what scipy makes of them, cost, leaks, threads and forks."""

import gc
import multiprocessing
import os
import threading
import unittest

import numpy as np
from gihflow_testing import DirectoryTest, run

import gihflow

OPTIONS = dict(chains=200, length=30)


def resident():
    """Bytes of memory of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def generic(objective):
    """A point with nothing special about it."""
    i = np.arange(objective.size)
    x = objective.start + 0.2 * np.cos(1 + i)
    x[-1] = 1.7
    return x


def in_child(queue, objective, x):
    queue.put(objective.value(x))


class Derivatives(unittest.TestCase):
    def setUp(self):
        self.objective = gihflow.Objective(**OPTIONS)
        self.x = generic(self.objective)

    def test_blocks(self):
        self.assertEqual([(b.letter, b.shape) for b in self.objective.blocks], [("c", (7,)), ("w", (3, 3)), ("a", ())])
        self.assertEqual(self.objective.blocks[-1].slice.stop, self.objective.size)
        parts = self.objective.unpack(self.x)
        np.testing.assert_array_equal(self.objective.pack(**parts), self.x)
        parts["w"][1, 2] = 9
        self.assertEqual(self.x[7 + 5], 9)
        np.testing.assert_array_equal(self.objective.pack(a=2)[:-1], self.objective.start[:-1])
        with self.assertRaisesRegex(ValueError, r"w \[2\]: must have the shape \[3, 3\]"):
            self.objective.pack(w=[1, 2])
        with self.assertRaisesRegex(TypeError, "'z': the blocks are c, w, a"):
            self.objective.pack(z=1)

    def test_the_program_s_numbers(self):
        found = gihflow.evaluate(**OPTIONS, progress=False)
        value, gradient = self.objective.value_and_gradient(self.objective.start)
        self.assertEqual((value, gradient.tolist()), (found.loss, found.gradient.tolist()))
        error, errors = self.objective.standard_errors(self.objective.start)
        self.assertEqual((error, errors.tolist()), (found.loss_standard_error, found.gradient_standard_error.tolist()))

    def test_against_differences(self):
        value, gradient = self.objective.value_and_gradient(self.x)
        self.assertEqual(value, self.objective.value(self.x))
        np.testing.assert_array_equal(gradient, self.objective.gradient(self.x))
        v, h = np.sin(np.arange(self.objective.size)), 1e-5
        quotient = (self.objective.value(self.x + h * v) - self.objective.value(self.x - h * v)) / (2 * h)
        self.assertAlmostEqual(quotient / (gradient @ v), 1, delta=1e-6)
        ahead, behind = (self.objective.gradient(self.x + s * h * v) for s in (1, -1))
        np.testing.assert_allclose(self.objective.hvp(self.x, v), (ahead - behind) / (2 * h), rtol=1e-5, atol=1e-8)

    def test_batches_add_up(self):
        halves = [self.objective.gradient(self.x, chains=range(i, 200, 2)) for i in (0, 1)]
        np.testing.assert_allclose(sum(halves) / 2, self.objective.gradient(self.x), rtol=1e-9, atol=1e-13)

    def test_out_is_filled(self):
        out = np.empty(self.objective.size)
        _, given = self.objective.value_and_gradient(self.x, out=out)
        np.testing.assert_array_equal(out, self.objective.gradient(self.x))
        self.assertIs(given, out)
        for bad in (np.empty(self.objective.size, dtype=np.float32), np.empty(2 * self.objective.size)[::2]):
            with self.assertRaisesRegex(TypeError, "out must be a contiguous array of float64"):
                self.objective.value_and_gradient(self.x, out=bad)

    def test_what_is_refused(self):
        for call in (self.objective.value, self.objective.value_and_gradient, self.objective.gradient,
                     self.objective.standard_errors):
            with self.assertRaisesRegex(ValueError, "x: 3 numbers: must be 17|x 3 numbers: must be 17"):
                call(np.zeros(3))
            with self.assertRaisesRegex(ValueError, "x"):
                call(np.zeros(17))  # no subset has a coefficient
            for given in (np.zeros((1, 17)), 1.0, "x", None):
                with self.assertRaisesRegex(TypeError, "^x must be an array of numbers with one axis"):
                    call(given)
        for given in (np.zeros((17, 1)), "v"):
            with self.assertRaisesRegex(TypeError, "^v must be an array of numbers with one axis"):
                self.objective.hvp(self.objective.start, given)
        with self.assertRaises(TypeError):
            gihflow.Objective(np.zeros((3, 5), int), data="x.h5")

    def test_kinds_of_chains(self):
        infinite = gihflow.Objective(context="infinite", chains=50)
        self.assertEqual(infinite.engine, "infinite")
        self.assertTrue(np.isfinite(infinite.value_and_gradient(generic(infinite))[1]).all())
        drawn = gihflow.sample(chains=200, length=30, purpose="train", progress=False)
        given = gihflow.Objective(tokens=drawn.tokens.astype(np.int8), targets=drawn.targets)
        self.assertEqual(given.value(self.x), self.objective.value(self.x))
        self.assertEqual(given.tokens_hash, self.objective.tokens_hash)

    def test_scipy(self):
        try:
            from scipy.integrate import solve_ivp
            from scipy.optimize import check_grad, minimize
        except ImportError:
            self.skipTest("scipy is not installed")
        self.assertLess(check_grad(self.objective.value, self.objective.gradient, self.x), 1e-6)
        found = minimize(self.objective.value_and_gradient, self.objective.start, jac=True, hessp=self.objective.hvp,
                         method="Newton-CG", options={"maxiter": 10})
        self.assertLess(found.fun, self.objective.value(self.objective.start))
        mask = np.zeros(self.objective.size)
        mask[self.objective.blocks[0].slice] = 1
        flow = solve_ivp(lambda t, x: -mask * self.objective.gradient(x), (0, 50), self.objective.start, rtol=1e-9,
                         atol=1e-12)
        mine = gihflow.train(**OPTIONS, stages="c:50", progress=False, validation_chains=0, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(flow.y[:7, -1], mine.final["c"], rtol=1e-6, atol=1e-10)


class Process(DirectoryTest):
    def test_nothing_leaks(self):
        objective = gihflow.Objective(chains=8, length=8, threads=1)
        x = generic(objective)

        def calls(number):
            for _ in range(number):
                objective.value_and_gradient(x)
            gc.collect()

        calls(2_000)
        before = resident()
        calls(100_000)
        self.assertLess(resident() - before, 2**20)

    def test_four_threads_and_the_lock(self):
        objective = gihflow.Objective(**OPTIONS, threads=1)
        points = [generic(objective) + 0.01 * k for k in range(4)]
        expected = [objective.gradient(x).tobytes() for x in points]
        wrong = []

        def work(k):
            for _ in range(300):
                if objective.value_and_gradient(points[k])[1].tobytes() != expected[k]:
                    wrong.append(k)
                objective.hvp(points[k], points[k])

        threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_a_forked_worker_computes(self):
        objective = gihflow.Objective(chains=2000, length=30)
        x = generic(objective)
        expected = objective.value(x)  # with this process's threads
        fork = multiprocessing.get_context("fork")
        queue = fork.Queue()
        children = [fork.Process(target=in_child, args=(queue, objective, x)) for _ in range(2)]
        for child in children:
            child.start()
        self.assertEqual([queue.get(timeout=60) for _ in children], [expected] * 2)
        for child in children:
            child.join(60)
            self.assertEqual(child.exitcode, 0)

    def test_h5py_has_the_same_file_open(self):
        import h5py

        path = self.directory / "run.h5"
        options = dict(chains=50, length=20, stages="c:10", outputs=4, progress=False)
        gihflow.train(output=path, **options)
        with h5py.File(path) as file:
            before = file["stage_1/c"][()]
            gihflow.train(output=path, force=True, seed=2, **options)
            again = gihflow.train(config=path, progress=False)
            np.testing.assert_array_equal(file["stage_1/c"][()], before)
        self.assertEqual(gihflow.read(path).attributes["seed"], 2)
        self.assertEqual(again.attributes["seed"], 2)

    def test_it_brings_no_runtime_of_its_own(self):
        from gihflow import _core

        needed = run("readelf", "-d", _core.__file__).stdout
        for library in ("gomp", "hdf5", "iomp"):
            self.assertNotIn(library, needed)
        names = run("nm", "-D", "--defined-only", _core.__file__).stdout
        self.assertNotIn(" H5", names)
        self.assertIn("PyInit__core", names)
