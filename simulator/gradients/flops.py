"""The arithmetic of one worker's step, counted rather than estimated."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def count_flops(module: nn.Module, inputs_shape: Sequence[int]) -> float:
    """Count the floating point operations of one forward and backward pass.

    Parameters
    ----------
    module : nn.Module
        Any classifier.
    inputs_shape : sequence of int
        Shape (B, ...) of one worker's batch.

    Returns
    -------
    float
        Operations of all matrix products and convolutions, a multiplication and an addition counted as two. Elementwise
        work is not counted (as `torch.utils.flop_counter` defines it). The input needs no gradient.

    Notes
    -----
    A linear layer m -> n at batch B counts 2Bmn forward, 2Bmn for the weights and 2Bmn for the input, the last one not
    in the first layer.
    """
    shadow = copy.deepcopy(module).to("meta").requires_grad_()
    inputs = torch.empty(tuple(inputs_shape), device="meta", dtype=next(shadow.parameters()).dtype)
    with FlopCounterMode(display=False) as counter, torch.enable_grad():
        shadow(inputs).sum().backward()
    return float(counter.get_total_flops())
