"""The transformer and its loss straight from the definitions, formulas (2.1) to (2.4), with all their conventions: an
implementation that shares nothing with the program. Gradients are complex-step derivatives of that loss, exact to
rounding; gradient descent is the definition's own.

Arrays are NumPy's. A batch of models is evaluated at once: parameters may have leading axes, written B below, and the
loss then has them too.
"""

import itertools
from dataclasses import dataclass

import numpy as np


@dataclass
class Conventions:
    window: int = 3  # M
    heads: int = 3  # H
    degree: int = 2  # D
    boundary: str = "masked"
    head_windows: str = "shared"
    head_normalization: str = "none"
    readout: str = "log"
    epsilon: float = 0.01

    def lags(self):
        """lag_h(i) of (2.1), [H, M]."""
        first = np.arange(self.heads) if self.head_windows == "shifted" else np.zeros(self.heads, int)
        return first[:, None] + np.arange(1, self.window + 1)

    def subsets(self):
        """Subsets of heads, 0-based, by size and then lexicographically."""
        sizes = range(min(self.degree, self.heads) + 1)
        return [s for size in sizes for s in itertools.combinations(range(self.heads), size)]


PAPER = Conventions()
REFERENCE = Conventions(boundary="partial", head_windows="shifted", head_normalization="l2", readout="softmax")


def initial_point(conventions, own=3.0, other=0.01, c=0.01, a=0.01):
    """(c, w, a) of theory §2: head h's own lag is h."""
    own_lag = conventions.lags() == np.arange(1, conventions.heads + 1)[:, None]
    return np.full(len(conventions.subsets()), c), np.where(own_lag, own, other), np.float64(a)


def softmax(x):
    weights = np.exp(x - x.real.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def head_outputs(conventions, w, tokens, vocabulary):
    """v_l of every position l = 1 … L+1, [B, N, L+1, H, d], for w [B, H, M] and tokens [N, L+1]."""
    chains, positions = tokens.shape
    onehot = np.eye(vocabulary)[tokens]
    v = np.zeros(w.shape[:-2] + (chains, positions, conventions.heads, vocabulary), complex)
    place = np.arange(1, positions + 1)
    for h, lags in enumerate(conventions.lags()):
        exist = (place[:, None] > lags).sum(axis=-1)  # lags increase: those that exist come first
        for n in range(1, conventions.window + 1):
            where = place[exist == n]
            sigma = softmax(w[..., h, :n])
            seen = onehot[:, where[:, None] - lags[:n] - 1, :]  # [N, positions, n, d]
            v[..., where - 1, h, :] = np.einsum("...i,nlie->...nle", sigma, seen)
    if conventions.head_normalization == "l2":
        norm = np.sqrt((v * v).sum(axis=-1, keepdims=True))
        v = v / (norm + 1e-7)
    return v


def losses(conventions, c, w, a, tokens, targets):
    """ℓ of every sequence in nats, [B, N]: c [B, subsets], w [B, H, M], a [B], tokens [N, L+1], targets [N, d]."""
    c, w, a = (np.asarray(x, complex) for x in (c, w, a))
    length, vocabulary = tokens.shape[1] - 1, targets.shape[1]
    v = head_outputs(conventions, w, tokens, vocabulary)
    inner = (v[..., :length, :, :] * v[..., length:, :, :]).sum(axis=-1)  # [B, N, L, H]
    p = c * c / (c * c).sum(axis=-1, keepdims=True)
    k = np.zeros(inner.shape[:-1], complex)
    for s, heads in enumerate(conventions.subsets()):
        k = k + p[..., s, None, None] * inner[..., list(heads)].prod(axis=-1)
    first = conventions.lags().max() if conventions.boundary == "masked" else 0
    attention = softmax(a[..., None, None] * k[..., first:])
    y = np.einsum("...nl,nle->...ne", attention, np.eye(vocabulary)[tokens[:, first:length]])
    if conventions.readout == "softmax":
        log_law = y - np.log(np.exp(y).sum(axis=-1, keepdims=True))
    else:
        log_law = np.log((y + conventions.epsilon) / (1.0 + vocabulary * conventions.epsilon))
    return -(np.where(targets > 0.0, targets * log_law, 0.0)).sum(axis=-1)


def loss_and_gradient(conventions, c, w, a, tokens, targets):
    """Mean loss and its derivatives in (c, w, a), shaped like these."""
    x = np.concatenate([c, np.ravel(w), [a]])
    step = 1e-30
    moved = x + 1j * step * np.eye(len(x))
    n = len(c)
    values = losses(conventions, moved[:, :n], moved[:, n:-1].reshape((-1,) + np.shape(w)), moved[:, -1],
                    tokens, targets).mean(axis=-1)
    slope = values.imag / step
    return values[0].real, (slope[:n], slope[n:-1].reshape(np.shape(w)), slope[-1])


def gradient_descent(conventions, c, w, a, tokens, targets, rate, steps):
    """(c, w, a) after 0, 1, …, steps joint steps, as a list, and the losses there."""
    path, values = [(c, w, a)], []
    for _ in range(steps):
        value, slopes = loss_and_gradient(conventions, c, w, a, tokens, targets)
        c, w, a = (x - rate * g for x, g in zip((c, w, a), slopes))
        path.append((c, w, a))
        values.append(value)
    values.append(loss_and_gradient(conventions, c, w, a, tokens, targets)[0])
    return path, values


def draw_chains(generator, chains, length, vocabulary=3, parents=(1, 2), alpha=0.1):
    """Tokens [N, L+1] and conditional label laws [N, d] by (1.1), (1.2) with the uniform initial law, (1.4)."""
    contexts = vocabulary ** len(parents)
    kernels = generator.dirichlet(np.full(vocabulary, alpha), (chains, contexts))
    kernels = np.nan_to_num(kernels, nan=1.0 / vocabulary)
    tokens = np.zeros((chains, length + 1), np.int64)
    tokens[:, : max(parents)] = generator.integers(vocabulary, size=(chains, max(parents)))
    for l in range(max(parents), length + 1):
        context = np.zeros(chains, int)
        for lag in parents:
            context = context * vocabulary + tokens[:, l - lag]
        law = kernels[np.arange(chains), context]
        below = (generator.random((chains, 1)) > law.cumsum(axis=-1)).sum(axis=-1)
        tokens[:, l] = np.minimum(below, vocabulary - 1)
    return tokens, law / law.sum(axis=-1, keepdims=True)
