"""One loss and gradient of the paper's setting in JAX, float64, jit and reverse mode; the formulations are those of
torch_peer.py. See README.md.

    jax_peer.py --data data.h5 --gihflow build/bin/gihflow
    jax_peer.py --device cuda
"""

import os
import sys

import numpy as np

import setting

ARGS = setting.arguments("Loss and gradient in JAX").parse_args() if __name__ == "__main__" else None
if ARGS:
    os.environ.setdefault("JAX_PLATFORMS", ARGS.device)
    if ARGS.device == "cpu":  # XLA takes every core that the process may run on
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: ARGS.threads])

try:
    import jax
    import jax.numpy as jnp
except ImportError:
    print("jax_peer: skipped, JAX is not installed", file=sys.stderr)
    sys.exit(0)

jax.config.update("jax_enable_x64", True)
SUBSETS = setting.subsets()


def feature_kernel(p, t):
    """k of (2.2) from t [H, …]."""
    k = jnp.zeros_like(t[0])
    for i, heads in enumerate(SUBSETS):
        product = p[i]
        for h in heads:
            product = product * t[h]
        k = k + product
    return k


def loss_of(y, targets):
    d = targets.shape[1]
    return -(targets * jnp.log((y + setting.EPSILON) / (1 + d * setting.EPSILON))).sum(axis=1).mean()


# Each returns (arrays, loss(arrays, c, w, a)): data are arguments of the jitted function, since XLA would otherwise spend
# minutes folding them as constants.


def positions(data, window=3):
    onehot = np.eye(data.vocabulary)[data.tokens]
    length = data.length
    lagged = np.stack([onehot[:, window - i : length + 1 - i] for i in range(1, window + 1)])
    arrays = lagged, onehot[:, window:length], data.targets

    def loss(arrays, c, w, a):
        lagged, values, targets = arrays
        p = c**2 / (c**2).sum()
        sigma = jax.nn.softmax(w, axis=1)
        v = jnp.einsum("hi,inle->hnle", sigma, lagged)
        t = jnp.einsum("hnle,hne->hnl", v[:, :, :-1], v[:, :, -1])
        attention = jax.nn.softmax(a * feature_kernel(p, t), axis=1)
        return loss_of(jnp.einsum("nl,nle->ne", attention, values), targets)

    return arrays, loss


def matches(data, window=3):
    tokens, length = data.tokens, data.length
    same = np.stack([
        tokens[:, window - i : length - i] == tokens[:, length - j : length - j + 1]
        for i in range(1, window + 1)
        for j in range(1, window + 1)
    ]).astype(float)
    arrays = same, np.eye(data.vocabulary)[tokens[:, window:length]], data.targets

    def loss(arrays, c, w, a):
        same, values, targets = arrays
        p = c**2 / (c**2).sum()
        sigma = jax.nn.softmax(w, axis=1)
        pairs = (sigma[:, :, None] * sigma[:, None, :]).reshape(sigma.shape[0], -1)
        t = jnp.einsum("hm,mnl->hnl", pairs, same)
        attention = jax.nn.softmax(a * feature_kernel(p, t), axis=1)
        return loss_of(jnp.einsum("nl,nle->ne", attention, values), targets)

    return arrays, loss


def statistics(data, window=3):
    counts, query = setting.window_counts(data, window)
    order = np.argsort(query, kind="stable")
    onehot = np.eye(data.vocabulary)[setting.all_windows(data.vocabulary, window)]
    arrays = counts[order], query[order], data.targets[order], onehot

    def loss(arrays, c, w, a):
        counts, query, targets, onehot = arrays
        p = c**2 / (c**2).sum()
        sigma = jax.nn.softmax(w, axis=1)
        v = jnp.einsum("hi,zie->hze", sigma, onehot)
        t = jnp.einsum("hze,hqe->hzq", v, v)
        e = jnp.exp(a * feature_kernel(p, t))  # k ≤ 1: no shift needed at moderate a
        weighted = jnp.einsum("nz,nze->ne", e[query], counts)
        return loss_of(weighted / weighted.sum(axis=1, keepdims=True), targets)

    return arrays, loss


FORMULATIONS = {"positions": positions, "matches": matches, "statistics": statistics}


def gradient_of(arrays, loss):
    arrays = jax.device_put(jax.tree.map(jnp.asarray, arrays))
    compiled = jax.jit(jax.value_and_grad(loss, argnums=(1, 2, 3)))

    def gradient(*parameters):
        value, derivatives = jax.device_get(compiled(arrays, *parameters))  # waits for the device
        return value, derivatives

    return gradient


def main(args):
    try:
        device = jax.devices()[0]
    except RuntimeError as error:
        print(f"jax_peer: skipped, {error}", file=sys.stderr)
        return
    data = setting.data_of(args)
    args.chains, args.length = data.chains, data.length
    name = device.device_kind if args.device == "cuda" else f"cpu, {args.threads} threads"
    chosen = args.formulation or FORMULATIONS
    setting.report("jax", jax.__version__, name, args,
                   {key: gradient_of(*FORMULATIONS[key](data)) for key in chosen})


if __name__ == "__main__":
    main(ARGS)
