"""Which modules are taken: those whose gradient is a function of parameters and samples alone."""

from __future__ import annotations

from torch import nn


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
