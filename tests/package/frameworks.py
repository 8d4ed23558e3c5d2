"""gihflow.jax and gihflow.torch: derivatives of both orders, both orders of import, workers of a DataLoader."""

import importlib.util
import sys
import unittest

import numpy as np
from gihflow_testing import run

import gihflow

HAS = {name: importlib.util.find_spec(name) is not None for name in ("jax", "torch")}
OPTIONS = dict(chains=100, length=20)


def point(objective):
    x = objective.start + 0.2 * np.cos(1 + np.arange(objective.size))
    x[-1] = 1.7
    return x


class OnDemand(unittest.TestCase):
    def test_neither_is_imported_unasked(self):
        code = "import sys, gihflow; gihflow.Objective(chains=5, length=9); print(sorted({'jax', 'torch'} & set(sys.modules)))"
        self.assertEqual(run(sys.executable, "-c", code).stdout, "[]\n")

    def test_a_missing_library_is_named(self):
        for name, called in (("jax", "JAX"), ("torch", "PyTorch")):
            code = (f"import sys; sys.modules[{name!r}] = None\n"
                    f"try:\n    import gihflow.{name}\nexcept ImportError as error:\n    print(error)")
            self.assertEqual(run(sys.executable, "-c", code).stdout,
                             f"gihflow.{name} needs {called}: pip install {name}\n")


@unittest.skipUnless(HAS["jax"], "JAX is not installed")
class Jax(unittest.TestCase):
    def setUp(self):
        import jax

        jax.config.update("jax_enable_x64", True)
        from gihflow import jax as bridge

        self.jax, self.objective = jax, gihflow.Objective(**OPTIONS)
        self.loss, self.x = bridge.loss(self.objective), point(self.objective)

    def test_derivatives(self):
        from jax.test_util import check_grads

        np.testing.assert_array_equal(self.jax.grad(self.loss)(self.x), self.objective.gradient(self.x))
        check_grads(self.loss, (self.x,), order=2, modes=["fwd", "rev"], rtol=1e-5)

    def test_transformations(self):
        jax = self.jax
        value, gradient = jax.jit(jax.value_and_grad(self.loss))(self.x)
        self.assertEqual(float(value), self.objective.value(self.x))
        np.testing.assert_array_equal(gradient, self.objective.gradient(self.x))
        v = np.sin(np.arange(self.objective.size))
        for product in (jax.jvp(jax.grad(self.loss), (self.x,), (v,))[1],
                        jax.grad(lambda x: jax.numpy.vdot(jax.grad(self.loss)(x), v))(self.x)):
            np.testing.assert_allclose(product, self.objective.hvp(self.x, v), rtol=1e-12)
        points = np.stack([self.x, self.x + 0.1])
        np.testing.assert_array_equal(jax.vmap(self.loss)(points), [self.objective.value(x) for x in points])


@unittest.skipUnless(HAS["torch"], "PyTorch is not installed")
class Torch(unittest.TestCase):
    def setUp(self):
        import torch

        from gihflow import torch as bridge

        self.torch, self.objective = torch, gihflow.Objective(**OPTIONS)
        self.loss = bridge.loss(self.objective)
        self.x = torch.tensor(point(self.objective), requires_grad=True)

    def test_derivatives(self):
        self.loss(self.x).backward()
        np.testing.assert_array_equal(self.x.grad, self.objective.gradient(self.x.detach().numpy()))
        self.assertTrue(self.torch.autograd.gradcheck(self.loss, self.x))
        self.assertTrue(self.torch.autograd.gradgradcheck(self.loss, self.x))

    def test_other_types(self):
        x = self.x.detach().float().requires_grad_()
        value = self.loss(x)
        value.backward()
        self.assertEqual((value.dtype, x.grad.dtype), (self.torch.float32,) * 2)

    def test_an_optimizer(self):
        optimizer = self.torch.optim.SGD([self.x], lr=0.1)
        before = self.loss(self.x).item()
        for _ in range(20):
            optimizer.zero_grad()
            self.loss(self.x).backward()
            optimizer.step()
        self.assertLess(self.loss(self.x).item(), before)

    def test_workers_of_a_data_loader(self):
        objective, x = self.objective, self.x.detach().numpy()

        class Gradients(self.torch.utils.data.Dataset):
            def __len__(self):
                return 8

            def __getitem__(self, index):
                return objective.gradient(x + 0.01 * index)

        loader = self.torch.utils.data.DataLoader(Gradients(), batch_size=2, num_workers=2, timeout=60)
        found = np.concatenate([batch.numpy() for batch in loader])
        np.testing.assert_array_equal(found, [objective.gradient(x + 0.01 * index) for index in range(8)])

    def test_both_orders_of_import(self):
        use = ("x = torch.ones(300, 300); x @ x; "
               "print(gihflow.train(chains=50, length=20, stages='c:5', outputs=3, progress=False).final['c'].tolist())")
        said = {run(sys.executable, "-c", f"import {first}; import {second}; {use}").stdout
                for first, second in (("torch", "gihflow"), ("gihflow", "torch"))}
        self.assertEqual(len(said), 1)
