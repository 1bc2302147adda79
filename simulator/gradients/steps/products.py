"""Matrix products of layers, by the fastest library that the framework brings along.

On a CPU torch multiplies float32 matrices with MKL, which on processors of other makers than its own leaves half of
their vector units idle: 105 against 240 GFLOP/s with oneDNN on one core of an AVX-512 AMD EPYC.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

# a worker's product with fewer rows than this is bound by the writing of its result, which oneDNN cannot do in place
_ROWS = 64


def _one_dnn(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.dtype == torch.float32 and x.numel() > 0 and _AVAILABLE


def _available() -> bool:
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        one = torch.ones(1, 1)
        return bool(torch.ops.mkldnn._linear_pointwise(one, one, None, "none", [], "") == 1)
    except (AttributeError, RuntimeError):
        return False


_AVAILABLE = _available()


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Give x Wᵀ + b, shape (N, ..., out), of `x` (N, ..., in).

    Parameters
    ----------
    x : Tensor, shape (N, ..., in)
        The samples of w workers, worker-major.
    weight : Tensor, shape (out, in) or (w, out, in)
        Shared, or one for each worker.
    bias : Tensor, shape (out,) or (w, out), optional
    """
    if weight.dim() == 3:
        return _rows(x.reshape(len(weight), -1, x.shape[-1]), weight, bias).view(*x.shape[:-1], -1)
    if not _one_dnn(x):
        return functional.linear(x, weight, bias)
    y: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return y


def _rows(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    if x.shape[1] < _ROWS or not _one_dnn(x):
        turned = weight.transpose(1, 2)
        return torch.bmm(x, turned) if bias is None else torch.baddbmm(bias[:, None], x, turned)
    y = x.new_empty((*x.shape[:2], weight.shape[1]))
    for r, out in enumerate(y):
        out.copy_(linear(x[r], weight[r], None if bias is None else bias[r]))
    return y


def outer(g: Tensor, x: Tensor, out: Tensor) -> None:
    """Write g_rᵀ x_r of each worker r into `out` (w, out, in), of `g` (w, rows, out) and `x` (w, rows, in)."""
    if g.shape[1] < _ROWS or not _one_dnn(x):
        torch.bmm(g.transpose(1, 2), x, out=out)
        return
    for mine, samples, target in zip(g, x, out, strict=True):
        target.copy_(torch.ops.mkldnn._linear_pointwise(mine.t(), samples.t(), None, "none", [], ""))
