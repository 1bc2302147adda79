"""What the gradient engine takes: modules whose gradient is a function of parameters and samples, tensors that fit."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def refuse_state(module: nn.Module) -> None:
    """Raise ValueError, naming the layer, if a module keeps running statistics or draws random numbers."""
    for name, layer in module.named_modules():
        if getattr(layer, "track_running_stats", False):
            raise ValueError(
                f"model: layer '{name}' ({type(layer).__name__}) keeps running statistics, which no payload carries; "
                "expected track_running_stats=False or GroupNorm"
            )
        if isinstance(layer, nn.modules.dropout._DropoutNd) and layer.p > 0:
            raise ValueError(
                f"model: layer '{name}' ({type(layer).__name__}) draws from a global generator; "
                f"expected p=0, got {layer.p}"
            )


def require_fit(d: int, dtype: torch.dtype, at: Tensor, inputs: Tensor, targets: Tensor, out: Tensor) -> None:
    """Raise ValueError unless the arguments of a call, for a module of d parameters, fit together."""
    if out.dim() != 2 or out.shape[1] != d or len(out) == 0 or out.stride(1) != 1:
        raise ValueError(
            f"out: expected shape (w, {d}) with dense rows, got {tuple(out.shape)} with strides {out.stride()}"
        )
    w = len(out)
    if at.shape not in ((d,), (w, d)):
        raise ValueError(f"at: expected shape ({d},) or ({w}, {d}), got {tuple(at.shape)}")
    if targets.dim() not in (2, 3) or len(targets) != w or targets.numel() == 0 or targets.dtype != torch.int64:
        raise ValueError(
            f"targets: expected int64 of shape ({w}, B) or ({w}, B, T), got {targets.dtype} {tuple(targets.shape)}"
        )
    if inputs.shape[:2] != targets.shape[:2]:
        raise ValueError(f"inputs: expected shape ({w}, {targets.shape[1]}, ...), got {tuple(inputs.shape)}")
    for name, tensor in (("at", at), ("out", out)):
        if tensor.dtype != dtype:
            raise ValueError(f"{name}: expected {dtype}, got {tensor.dtype}")
