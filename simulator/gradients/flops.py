"""The arithmetic of one worker's step, counted rather than estimated."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def count_flops(module: nn.Module, inputs_shape: Sequence[int], dtype: torch.dtype | None = None) -> float:
    """Count the floating point operations of one forward and backward pass.

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
    float
        Operations of all matrix products and convolutions, a multiplication and an addition counted as two. Elementwise
        work is not counted (as `torch.utils.flop_counter` defines it). The input needs no gradient.

    Notes
    -----
    A linear layer m -> n at batch B counts 2Bmn forward, 2Bmn for the weights and 2Bmn for the input, the last one not
    in the first layer.
    """
    if plain_chain(module):
        return _count_chain(module, inputs_shape)
    # imported late: it brings a computer algebra system along, 80 MB and a second that plain networks need not pay
    from torch.utils.flop_counter import FlopCounterMode

    shadow = copy.deepcopy(module).to("meta").requires_grad_()
    inputs = torch.empty(tuple(inputs_shape), device="meta", dtype=dtype or next(shadow.parameters()).dtype)
    with FlopCounterMode(display=False) as counter, torch.enable_grad():
        shadow(inputs).sum().backward()
    return float(counter.get_total_flops())


def plain_chain(module: nn.Module) -> bool:
    """Whether all arithmetic that counts lies in linear and convolution layers, one after the other."""
    if isinstance(module, nn.Sequential):
        return type(module).forward is nn.Sequential.forward and all(plain_chain(layer) for layer in module)
    return type(module) in (nn.Linear, nn.Conv2d) or not [*module.parameters(recurse=False), *module.children()]


def chain_products(module: nn.Module, inputs_shape: Sequence[int]) -> list[tuple[nn.Module, int]]:
    """Pass one sample through a plain chain and give each layer that multiplies, in order, with its products."""
    shadow, found = copy.deepcopy(module), list[tuple[nn.Module, int]]()
    originals = dict(zip(shadow.modules(), module.modules(), strict=True))

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], outputs: Tensor) -> None:
        assert isinstance(layer.weight, Tensor)
        found.append((originals[layer], outputs.numel() * layer.weight[0].numel()))

    for layer in shadow.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            layer.register_forward_hook(note)
    first = next(shadow.parameters())
    with torch.no_grad():
        shadow(torch.zeros((1, *inputs_shape[1:]), dtype=first.dtype, device=first.device))
    return found


def _count_chain(module: nn.Module, inputs_shape: Sequence[int]) -> float:
    """Add up each layer's products: forward, weights and, but for the first, input."""
    products = [count for _, count in chain_products(module, inputs_shape)]
    return 2.0 * inputs_shape[0] * (3 * sum(products) - products[0])
