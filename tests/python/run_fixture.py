"""Run files made up in closed form, so that a test knows what a reader and the captions must say."""

import itertools

import h5py
import numpy as np

TAKE_OVER = 231.0  # flow time at which p of the winner reaches 0.99
OUTPUTS = 60


def subsets(heads, degree):
    return [s for size in range(degree + 1) for s in itertools.combinations(range(1, heads + 1), size)]


def write_run(path, *, heads=3, window=3, degree=2, stages=("c", "w", "a"), winner=(1, 2), validation=True,
              baselines=True, shifted=False, integrator="dopri5", durations=(2000.0, 50000.0, 5000.0)):
    """Stages in which c moves p by a replicator with one fit set, w moves the winner's own-lag weights to 1 − 0.1/(1+t/1000)
    and a grows as log10(1 + 9t/T) + 0.01; losses fall linearly in these. Energy residual: −2e-6 of the drop, +1e-6 at
    the end."""
    names = subsets(heads, degree)
    best = names.index(winner)
    rate = np.log(0.99 / 0.01 * (len(names) - 1)) / TAKE_OVER
    own = np.eye(heads, window) if not shifted else np.eye(heads, window)[[0] * heads]
    p = np.full(len(names), 1 / len(names))
    sigma = np.where(own == 1, 0.9, 0.1 / (window - 1)) if window > 1 else np.ones((heads, 1))
    a, loss = 0.01, 1.0
    with h5py.File(path, "w") as file:
        file.attrs.update(schema_version=1, program_version="0.1.0", git_commit="unknown", config="seed = 1\n", seed=1,
                          outcome="reached", tokens_hash="0" * 16)
        file["subsets"] = np.array([[h in s for h in range(1, heads + 1)] for s in names], dtype=np.uint8)
        file["lag"] = np.array([[(h if shifted else 0) + i + 1 for i in range(window)] for h in range(heads)])
        for k, (trained, duration) in enumerate(zip(stages, durations), 1):
            t = np.concatenate([[0.0], np.geomspace(min(1.0, duration / 1000), duration, OUTPUTS - 1)])
            odds = np.exp(-rate * t if "c" in trained else 0 * t)[:, None]  # of the others against the winner
            ps = np.where(np.arange(len(names)) == best, p, odds * p)
            ps /= ps.sum(axis=1, keepdims=True)
            sigmas = np.tile(sigma, (len(t), 1, 1))
            if "w" in trained:
                for h in winner:
                    rest = 0.1 / (1 + t / 1000)
                    sigmas[:, h - 1] = np.where(own[h - 1] == 1, 1 - rest[:, None], rest[:, None] / max(window - 1, 1))
            amplitude = a + (np.log10(1 + 9 * t / duration) if "a" in trained else 0 * t)
            losses = loss - 0.01 * (ps[:, best] - ps[0, best]) - 0.5 * (amplitude - amplitude[0])
            losses = losses - 1e-4 * (sigmas - sigmas[0]).max(axis=(1, 2))
            drop = losses[0] - losses[-1]
            residual = np.where(t == 0, 0.0, np.where(t < duration, -2e-6, 1e-6) * drop)
            group = file.create_group(f"stage_{k}")
            group.attrs.update(trained=trained, duration=duration, outcome="reached", integrator=integrator,
                               rhs_evaluations=100, output_evaluations=OUTPUTS, accepted_steps=16, rejected_steps=0,
                               gauge_drift=1e-7)
            with np.errstate(divide="ignore"):  # −∞ where p underflows
                theta = np.log(ps) + np.log(7e-4)
            values = dict(t=t, c=np.exp(theta / 2), log_c_squared=theta, p=ps, w=np.log(sigmas), attention=sigmas,
                          a=amplitude, loss=losses, gradient_norm=np.ones(len(t)),
                          dissipated=losses[0] - losses - residual, energy_residual=residual)
            if validation:
                values["validation_loss"] = losses + 0.02
            for name, value in values.items():
                group[name] = value
            p, sigma, a, loss = ps[-1], sigmas[-1], amplitude[-1], losses[-1]
        final = file.create_group("final")
        final["c"], final["log_c_squared"] = np.exp(theta[-1] / 2), theta[-1]
        final["c_sign"], final["w"], final["a"] = np.ones(len(names), int), np.log(sigma), a
        file.create_group("execution").attrs.update(host="here", threads=2)
        if baselines:
            lines = file.create_group("baselines")
            lines.attrs["lags"] = list(winner)
            for chains in ["training"] + ["validation"] * validation:
                group = lines.create_group(chains)
                end = loss + (0.02 if chains == "validation" else 0)
                for name, value in (("gih_loss", end - 0.0015), ("posterior_loss", end - 0.01), ("entropy_floor", end - 0.04)):
                    group[name], group[f"{name}_standard_error"] = value, 0.001
    return path
