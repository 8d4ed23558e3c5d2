"""A gihflow.Objective as a function that PyTorch differentiates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

try:
    import torch
except ImportError as error:
    raise ImportError("gihflow.torch needs PyTorch: pip install torch") from error

if TYPE_CHECKING:
    from gihflow.objective import Objective


def _numbers(x: torch.Tensor) -> Any:
    return x.detach().to("cpu", torch.float64).contiguous().numpy()


class _Gradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, objective: Objective) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.objective = objective
        return torch.from_numpy(objective.gradient(_numbers(x))).to(x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, along: torch.Tensor) -> tuple[torch.Tensor, None]:
        (x,) = ctx.saved_tensors
        return torch.from_numpy(ctx.objective.hvp(_numbers(x), _numbers(along))).to(x), None


class _Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, objective: Objective) -> torch.Tensor:
        ctx.save_for_backward(x)
        ctx.objective = objective
        if ctx.needs_input_grad[0]:
            value, gradient = objective.value_and_gradient(_numbers(x))
            ctx.gradient = torch.from_numpy(gradient).to(x)
        else:
            value = objective.value(_numbers(x))
        return torch.tensor(value, dtype=x.dtype, device=x.device)

    @staticmethod
    def backward(ctx: Any, scale: torch.Tensor) -> tuple[torch.Tensor, None]:
        if not torch.is_grad_enabled():
            return scale * ctx.gradient, None
        (x,) = ctx.saved_tensors  # what is differentiated again has to know where it was
        return scale * _Gradient.apply(x, ctx.objective), None


def loss(objective: Objective) -> Callable[[torch.Tensor], torch.Tensor]:
    """The loss (2.4) at a tensor x [size], twice differentiable: backward gives the gradient, once more a product with the
    Hessian. Computed on the CPU in double precision, whatever the type and place of x, which the results have."""
    return lambda x: _Loss.apply(x, objective)
