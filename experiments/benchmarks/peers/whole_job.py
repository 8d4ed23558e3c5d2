"""The three stages of the paper, c:2000, w:50000, a:5000, by what a user of PyTorch or JAX would run; see README.md.

descent     PyTorch, gradient descent at η = 1: seconds of one step, measured, times 57,000 steps
ode         JAX under diffrax: Tsit5 with rtol 1e-6 and atol 1e-9 on (c, w, a), the stages one after another

    whole_job.py --data data.h5 --formulation statistics
"""

import json
import sys
import time

import numpy as np

import setting

STAGES = (("c", 2000), ("w", 50000), ("a", 5000))


def report(**line):
    print(json.dumps(line), flush=True)


def descent(formulation, data, args):
    try:
        import torch

        import torch_peer
    except ImportError:
        print("descent: skipped, PyTorch is not installed", file=sys.stderr)
        return
    torch.set_num_threads(args.threads)
    loss = torch_peer.FORMULATIONS[formulation](data, args.device)
    total = 0.0
    parameters = dict(zip("cwa", setting.initial_parameters()))
    for block, steps in STAGES:
        leaves = {key: torch.tensor(x, device=args.device, requires_grad=key == block) for key, x in parameters.items()}
        seconds = []
        end = time.perf_counter() + args.repeat
        while len(seconds) < 3 or time.perf_counter() < end:
            start = time.perf_counter()
            (gradient,) = torch.autograd.grad(loss(*leaves.values()), [leaves[block]])
            with torch.no_grad():
                leaves[block] -= gradient
            leaves["a"].tolist()  # waits for the device
            seconds.append(time.perf_counter() - start)
        step = float(np.median(seconds))
        total += step * steps
        report(job="descent", formulation=formulation, stage=block, seconds_per_step=step, steps=steps,
               seconds=step * steps, measured_steps=len(seconds))
    report(job="descent", formulation=formulation, seconds=total)


def ode(formulation, data, args):
    try:
        import diffrax
        import jax
        import jax.numpy as jnp

        import jax_peer
    except ImportError as error:
        print(f"ode: skipped, {error.name} is not installed", file=sys.stderr)
        return
    arrays, loss = jax_peer.FORMULATIONS[formulation](data)
    arrays = jax.device_put(jax.tree.map(jnp.asarray, arrays))
    state = dict(zip("cwa", map(jnp.asarray, setting.initial_parameters())))
    total, evaluations = 0.0, 0
    for number, (block, duration) in enumerate(STAGES):
        def field(t, y, given, number=number):
            values, arrays = given
            point = [y if i == number else x for i, x in enumerate(values)]
            return -jax.grad(loss, argnums=1 + number)(arrays, *point)

        @jax.jit
        def solve(values, arrays, duration, field=field, number=number):
            return diffrax.diffeqsolve(
                diffrax.ODETerm(field), diffrax.Tsit5(), 0.0, duration, None, values[number], args=(values, arrays),
                stepsize_controller=diffrax.PIDController(rtol=1e-6, atol=1e-9), max_steps=2_000_000,
                adjoint=diffrax.ForwardMode())

        values = [state[key] for key in "cwa"]
        jax.block_until_ready(solve(values, arrays, 1e-3))  # compiles
        start = time.perf_counter()
        solution = jax.block_until_ready(solve(values, arrays, float(duration)))
        seconds = time.perf_counter() - start
        state[block] = solution.ys[-1]
        steps = int(solution.stats["num_steps"])
        total, evaluations = total + seconds, evaluations + 6 * steps
        report(job="ode", formulation=formulation, stage=block, seconds=seconds, steps=steps,
               rejected=int(solution.stats["num_rejected_steps"]))
    final = loss(arrays, *(state[key] for key in "cwa"))
    report(job="ode", formulation=formulation, seconds=total, evaluations=evaluations, loss=float(final),
           final={key: np.asarray(x).tolist() for key, x in state.items()})


def main():
    parser = setting.arguments("The three-stage job")
    parser.add_argument("--job", choices=["descent", "ode"], action="append", help="the default is both")
    args = parser.parse_args()
    data = setting.data_of(args)
    for formulation in args.formulation or ["statistics"]:
        for job in args.job or ["descent", "ode"]:
            {"descent": descent, "ode": ode}[job](formulation, data, args)


if __name__ == "__main__":
    main()
