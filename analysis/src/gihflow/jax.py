"""A gihflow.Objective as a function that JAX differentiates, compiles and maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

try:
    import jax
    import jax.numpy as jnp
except ImportError as error:
    raise ImportError("gihflow.jax needs JAX: pip install jax") from error

if TYPE_CHECKING:
    from gihflow.objective import Objective


def loss(objective: Objective) -> Callable[[jax.Array], jax.Array]:
    """The loss (2.4) at x [size], with its gradient for jax.grad and, along a direction, for jax.jvp of that.

    Callbacks take and give NumPy arrays alone and compute in double precision; where jax_enable_x64 is off, x comes and the
    results go as float32. Under jax.vmap points are evaluated one after another.
    """

    def call(function: Callable, shapes: tuple[tuple[int, ...], ...], *arguments: jax.Array) -> tuple[jax.Array, ...]:
        kind = jnp.result_type(*arguments)

        def evaluate(*given: np.ndarray) -> tuple[np.ndarray, ...]:
            results = function(*(np.array(entry, dtype=float) for entry in given))
            return tuple(np.asarray(result, dtype=kind) for result in results)

        results = tuple(jax.ShapeDtypeStruct(shape, kind) for shape in shapes)
        return jax.pure_callback(evaluate, results, *arguments, vmap_method="sequential")

    vector = (objective.size,)

    def hessian_product(x: jax.Array, v: jax.Array) -> jax.Array:
        return call(lambda x, v: (objective.hvp(x, v),), (vector,), x, v)[0]

    @jax.custom_jvp
    def value_and_gradient(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return call(objective.value_and_gradient, ((), vector), x)

    @value_and_gradient.defjvp
    def value_and_gradient_along(primals, tangents):
        (x,), (v,) = primals, tangents
        f, g = value_and_gradient(x)
        # The Hessian is symmetric: the product is its own transpose.
        product = jax.custom_derivatives.linear_call(hessian_product, hessian_product, x, v)
        return (f, g), (jnp.vdot(g, v), product)

    @jax.custom_jvp
    def value(x: jax.Array) -> jax.Array:
        return call(lambda x: (objective.value(x),), ((),), x)[0]

    @value.defjvp
    def value_along(primals, tangents):
        (x,), (v,) = primals, tangents
        f, g = value_and_gradient(x)
        return f, jnp.vdot(g, v)

    return value
