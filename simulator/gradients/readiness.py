"""When during a step each parameter's gradient is there: the backward pass visits the layers from last to first."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from simulator.gradients.flops import chain_products, plain_chain


def readiness(module: nn.Module, inputs_shape: Sequence[int], dtype: torch.dtype | None = None) -> tuple[float, ...]:
    """Give the fraction of a step's operations after which each parameter's gradient is complete.

    Parameters
    ----------
    module : nn.Module
        Any classifier.
    inputs_shape : sequence of int
        Shape (B, ...) of one worker's batch.
    dtype : torch.dtype, optional
        Type of the inputs where it is not the parameters', e.g. int64 for tokens.

    Returns
    -------
    tuple of float
        One in [0, 1] for each of `named_parameters`; operations as `count_flops` counts them, the forward pass
        included. All are 1 where no operation counts.

    Notes
    -----
    With P_1, ..., P_L products in the layers of a plain chain, the forward pass takes sum P, layer l's backward pass
    2 P_l (weights and input; P_1 in the first), and layer l is ready after sum P + 2 (P_l + ... + P_L), the first at
    the end.
    """
    if plain_chain(module):
        return _by_layers(module, inputs_shape)
    return _by_autograd(module, inputs_shape, dtype)


def _by_layers(module: nn.Module, inputs_shape: Sequence[int]) -> tuple[float, ...]:
    layers = chain_products(module, inputs_shape)
    forward = sum(products for _, products in layers)
    total = 3 * forward - layers[0][1] if layers else 0
    done, ready = forward, dict[int, float]()
    for number, (layer, products) in reversed(list(enumerate(layers))):
        done += products if number == 0 else 2 * products
        ready |= {id(parameter): done / total for parameter in layer.parameters()}  # a layer used twice: its first use
    return tuple(ready.get(id(parameter), 1.0) for parameter in module.parameters())


def _by_autograd(module: nn.Module, inputs_shape: Sequence[int], dtype: torch.dtype | None = None) -> tuple[float, ...]:
    """Watch automatic differentiation finish each parameter, on tensors without values."""
    from torch.utils.flop_counter import FlopCounterMode  # late, as in `count_flops`

    shadow = copy.deepcopy(module).to("meta").requires_grad_()
    inputs = torch.empty(tuple(inputs_shape), device="meta", dtype=dtype or next(shadow.parameters()).dtype)
    done = dict[int, float]()

    def note(parameter: Tensor) -> None:
        done[id(parameter)] = float(counter.get_total_flops())

    for parameter in shadow.parameters():
        parameter.register_post_accumulate_grad_hook(note)
    with FlopCounterMode(display=False) as counter, torch.enable_grad():
        shadow(inputs).sum().backward()
    total = float(counter.get_total_flops())
    return tuple(done.get(id(parameter), total) / total if total else 1.0 for parameter in shadow.parameters())


def timed_readiness(module: nn.Module, inputs: Tensor, targets: Tensor, repeats: int = 15) -> tuple[float, ...]:
    """Measure the fraction of a step's time after which each parameter's gradient is complete.

    Parameters
    ----------
    module : nn.Module
        A classifier on the device of `inputs`; it is not changed.
    inputs : Tensor, shape (B, ...)
    targets : Tensor, shape (B,) or (B, T), int64
    repeats : int
        Steps measured, after one to warm up; each parameter's median counts.

    Returns
    -------
    tuple of float
        One in [0, 1] for each of `named_parameters`.
    """
    kind = inputs.dtype if inputs.is_floating_point() else None  # tokens: the parameters keep their type
    shadow = copy.deepcopy(module).to(inputs.device, kind).requires_grad_()
    parameters = list(shadow.parameters())
    done = dict[int, float]()

    def now() -> float:
        if inputs.is_cuda:
            torch.cuda.synchronize(inputs.device)
        return time.perf_counter()

    def note(parameter: Tensor) -> None:
        done[id(parameter)] = now()

    for parameter in parameters:
        parameter.register_post_accumulate_grad_hook(note)
    seen = []
    with torch.enable_grad():
        for _ in range(repeats + 1):
            shadow.zero_grad()
            start = now()
            functional.cross_entropy(shadow(inputs), targets).backward()
            end = now()
            seen.append([(done.get(id(parameter), end) - start) / (end - start) for parameter in parameters])
    return tuple(np.median(seen[1:], axis=0).tolist())
