"""A small convolutional network for CIFAR-10."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from simulator.tasks.models.initial import private_generator
from simulator.tasks.validation import whole

SIDE = 32  # of the images, in pixels


class Cnn(nn.Sequential):
    """3 x 3 convolutions, each with max-pooling and a ReLU, and a linear head, for images of 3 x 32 x 32.

    Parameters
    ----------
    widths : sequence of int
        Channels of the convolutions, at most five: each halves the image. The default 16-32-64 has d = 33,834 and takes
        2.8 million products a sample forward.
    classes : int
        Logits.
    name : str
        What records call it.

    Raises
    ------
    ValueError
        If a number is below 1, or there are not one to five widths.

    Notes
    -----
    No paper's network: it stands for the residual networks of several where many short runs are compared. It has no
    normalisation, and so no statistics that workers would have to agree on.
    """

    def __init__(self, *, widths: Sequence[int] = (16, 32, 64), classes: int = 10, name: str = "cnn") -> None:
        if isinstance(widths, str) or not isinstance(widths, Sequence) or not 1 <= len(widths) <= 5:
            raise ValueError(f"model.widths: expected one to five numbers of channels, got {widths!r}")
        channels = [3, *(whole("model.widths", width, 1) for width in widths)]
        features = channels[-1] * (SIDE >> len(widths)) ** 2
        layers: list[nn.Module] = []
        with private_generator():
            for inputs, outputs in pairwise(channels):
                # pooled before the ReLU: the same function, with a quarter of the work
                layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.MaxPool2d(2), nn.ReLU()]
            super().__init__(*layers, nn.Flatten(), nn.Linear(features, whole("model.classes", classes, 1)))
        self.name = name
