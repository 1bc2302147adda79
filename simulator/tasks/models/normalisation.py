"""How a network normalises its activations.

Batch normalisation always takes the mean and variance of the batch at hand, which in training is one worker's own.
Whatever an evaluation takes instead is the task's business (`bn_statistics`): no running average hides in the model,
where no payload would carry it.
"""

from __future__ import annotations

from torch import nn

NORMS = ("group", "batch")
CHANNELS_PER_GROUP = 16


def normalisation(norm: str, channels: int) -> nn.Module:
    """Make a normalisation layer with a scale and a shift per channel, 2 * `channels` parameters of either kind.

    Parameters
    ----------
    norm : str
        'group' treats each sample by itself, 'batch' mixes the samples of a batch.
    channels : int
        At least 1. Groups are of 16 channels, one group where there are fewer.

    Raises
    ------
    ValueError
        If `norm` is unknown, or more than 16 channels do not fall into groups of 16.

    References
    ----------
    Ioffe, Szegedy, "Batch normalization", ICML 2015; Wu, He, "Group normalization", ECCV 2018, table 3 (16 channels per
    group).
    """
    if norm not in NORMS:
        raise ValueError(f"model.norm: expected one of {', '.join(NORMS)}, got {norm!r}")
    if norm == "batch":
        return nn.BatchNorm2d(channels, track_running_stats=False)
    size = min(CHANNELS_PER_GROUP, channels)
    if channels % size:
        raise ValueError(f"model: expected groups of {size} channels for norm=group, got {channels} channels")
    return nn.GroupNorm(channels // size, channels)
