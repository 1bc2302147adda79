"""The mean and variance that batch normalisation takes in an evaluation.

'batch': those of the evaluation batch at hand. 'local': those that worker 0 measures on the first of its own training
batches, at the model that is judged. 'averaged': the mean over all n workers of what each measures so, for which each
sends its own to the server. All are functions of the model: no hidden running average that a resumed run or a replay
would have to keep. C numbers in all are normalised, over all layers.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from algorithms.layout import Layout
from algorithms.payloads import Bits, Dense

BN_STATISTICS = ("batch", "local", "averaged")


def normalises_batches(module: nn.Module) -> bool:
    """Tell whether some layer mixes the samples of a batch."""
    return bool(_layers(module))


def with_statistics(module: nn.Module, at: Tensor, batches: Iterable[Tensor]) -> nn.Module:
    """Give a copy of a model whose batch normalisation uses fixed statistics.

    Parameters
    ----------
    module : nn.Module
        It is not changed.
    at : Tensor, shape (d,)
        The parameters.
    batches : iterable of Tensor, shape (B, ...)
        Inputs; each layer's mean and variance are averaged over the batches, with equal weights.

    Returns
    -------
    nn.Module
        In evaluation mode.

    References
    ----------
    Wu, Johnson, "Rethinking 'batch' in BatchNorm", 2021, section 3 (precise statistics).
    """
    fixed = copy.deepcopy(module).to(at.device, at.dtype)
    for layer in _layers(fixed):
        layer.track_running_stats, layer.momentum = True, None  # None: a plain average over the batches
        layer.running_mean = at.new_zeros(layer.num_features)
        layer.running_var = at.new_ones(layer.num_features)
        layer.num_batches_tracked = torch.zeros((), dtype=torch.int64, device=at.device)
    for parameter, value in zip(fixed.parameters(), Layout.of(module).views(at), strict=True):
        parameter.data = value
    fixed.train()
    with torch.no_grad():
        for inputs in batches:
            fixed(inputs)
    return fixed.eval()


def statistics(fixed: nn.Module) -> Tensor:
    """Read the statistics off what `with_statistics` gave, shape (2 C,): each layer's means, then its variances."""
    parts = [part for layer in _layers(fixed) for part in (layer.running_mean, layer.running_var)]
    return torch.cat([part for part in parts if part is not None])


def put_statistics(fixed: nn.Module, values: Tensor) -> None:
    """Write statistics, shape (2 C,), in place of those that are there."""
    parts = [part for layer in _layers(fixed) for part in (layer.running_mean, layer.running_var)]
    held = [part for part in parts if part is not None]
    for part, new in zip(held, values.split([len(part) for part in held]), strict=True):
        part.copy_(new)


def message(rows: Tensor) -> Dense:
    """Wrap the statistics of w workers, shape (w, 2 C), as they travel: plain numbers."""
    return Dense(rows, paper=Bits.of(len(rows), values=8 * rows.element_size() * rows.shape[1]))


def _layers(module: nn.Module) -> list[_BatchNorm]:
    return [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]
