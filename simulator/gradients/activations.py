"""How much a gradient holds besides its result, roughly."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


def count_activations(module: nn.Module, inputs_shape: Sequence[int], dtype: torch.dtype | None = None) -> int:
    """Count the numbers that the layers put out for inputs of a shape (B, ...), which a backward pass keeps.

    Parameters
    ----------
    dtype : torch.dtype, optional
        Type of the inputs where it is not the parameters', e.g. int64 for tokens.
    """
    shadow, found = copy.deepcopy(module).to("meta"), [0]

    def note(layer: nn.Module, inputs: Any, outputs: Any) -> None:
        several = outputs if isinstance(outputs, tuple) else (outputs,)
        found[0] += sum(part.numel() for part in several if isinstance(part, Tensor))

    for layer in shadow.modules():
        if not [*layer.children()]:
            layer.register_forward_hook(note)
    with torch.no_grad():
        shadow(torch.empty(tuple(inputs_shape), device="meta", dtype=dtype or next(shadow.parameters()).dtype))
    return found[0]
