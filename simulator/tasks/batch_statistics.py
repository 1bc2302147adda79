"""The mean and variance that batch normalisation takes in an evaluation.

'batch': those of the evaluation batch at hand. 'local': those that worker 0 measures on the first of its own training
batches, at the model that is judged. Nothing is sent for either, and both are functions of the model: no hidden running
average that a resumed run or a replay would have to keep. Running statistics averaged over workers, which would have to
be sent, are not offered.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from algorithms.layout import Layout

BN_STATISTICS = ("batch", "local")


def normalises_batches(module: nn.Module) -> bool:
    """Tell whether some layer mixes the samples of a batch."""
    return any(isinstance(layer, _BatchNorm) for layer in module.modules())


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
    for layer in fixed.modules():
        if isinstance(layer, _BatchNorm):
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
