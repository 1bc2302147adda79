"""The weights with which a run begins."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from algorithms.streams import Stream


def initial_vector(module: nn.Module, seed: int) -> Tensor:
    """Draw the flat vector of a model's initial weights.

    Every layer's own `reset_parameters` runs on the CPU in float32 under a private generator, so that the numbers are
    the same whatever the device, the type and whatever else draws random numbers.

    Parameters
    ----------
    module : nn.Module
        Any model; it is not changed. A parameter whose owner has no `reset_parameters` keeps its value.
    seed : int
        The run's seed.

    Returns
    -------
    Tensor, shape (d,), float32
        In the order of `Layout.of(module)`.
    """
    fresh = copy.deepcopy(module).to("cpu", torch.float32)
    with private_generator(int(Stream(seed, "initial").bits(torch.zeros(1, dtype=torch.int64), 1)) & 0xFFFFFFFF):
        for layer in fresh.modules():
            reset = getattr(layer, "reset_parameters", None)
            if callable(reset):
                reset()
    return torch.cat([parameter.detach().flatten() for parameter in fresh.parameters()])


@contextmanager
def private_generator(seed: int = 0) -> Iterator[None]:
    """Let layers draw their weights without touching the global generator."""
    # fork_rng keeps the caller's state; torch.manual_seed would touch every device's generator, so seed only the CPU's
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
