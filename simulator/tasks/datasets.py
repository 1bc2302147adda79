"""Image sets: the embedded subset of Fashion-MNIST, and the full Fashion-MNIST and MNIST."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from simulator.tasks import embedded
from simulator.tasks.idx import read_labelled
from simulator.tasks.sources import FASHION_MNIST, MNIST, Source, locate


@dataclass(frozen=True)
class Samples:
    """Inputs and their classes.

    Parameters
    ----------
    inputs : Tensor, shape (N, ...), float32
        Normalised.
    targets : Tensor, shape (N,), int64
        Class numbers from 0.

    Raises
    ------
    ValueError
        If there are no samples, or not one target for each input.
    """

    inputs: Tensor
    targets: Tensor

    def __post_init__(self) -> None:
        if len(self.inputs) == 0 or self.targets.shape != self.inputs.shape[:1]:
            raise ValueError(
                "task.dataset: expected one target for each of at least one input, "
                f"got inputs {tuple(self.inputs.shape)} and targets {tuple(self.targets.shape)}"
            )

    def to(self, device: torch.device, dtype: torch.dtype) -> Samples:
        """Move to a device, the inputs to a floating type."""
        return Samples(self.inputs.to(device, dtype), self.targets.to(device))


class Dataset(Protocol):
    """What a classification task needs of a data set; constructing one is cheap, `load` reads the files."""

    classes: int

    def load(self, data_dir: str | None) -> tuple[Samples, Samples]:
        """Read the training and the test samples, from `data_dir` or, with None, from where the set usually is."""
        ...


class FashionMnistMini:
    """The first 600 training and 100 test images of each class of Fashion-MNIST, embedded: nothing to download.

    References
    ----------
    Xiao, Rasul, Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017.
    """

    classes = 10

    def load(self, data_dir: str | None = None) -> tuple[Samples, Samples]:
        """Read 6,000 and 1,000 images of shape (1, 28, 28)."""
        if data_dir is not None:
            raise ValueError(
                "task.data_dir: expected null, as the embedded subset is read from the package, "
                f"got {data_dir!r} (the full set is task=fashion_mnist)"
            )
        return _load(Path(embedded.__path__[0]), FashionMnist.mean, FashionMnist.deviation)


class FashionMnist:
    """The full Fashion-MNIST: 60,000 training and 10,000 test images of ten kinds of clothing.

    References
    ----------
    Xiao, Rasul, Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017.
    """

    classes = 10
    source: Source = FASHION_MNIST
    # of all training pixels, scaled to [0, 1]
    mean, deviation = 0.2860, 0.3530

    def load(self, data_dir: str | None = None) -> tuple[Samples, Samples]:
        """Read it from `data_dir`, else Debian's package folder, else the user's cache (see `locate`)."""
        return _load(locate(self.source, data_dir), self.mean, self.deviation)


class Mnist:
    """MNIST: 60,000 training and 10,000 test images of handwritten digits.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proc. IEEE 1998.
    """

    classes = 10
    source: Source = MNIST
    mean, deviation = 0.1307, 0.3081

    def load(self, data_dir: str | None = None) -> tuple[Samples, Samples]:
        """Read it from `data_dir`, else the user's cache (see `locate`)."""
        return _load(locate(self.source, data_dir), self.mean, self.deviation)


def _load(folder: Path, mean: float, deviation: float) -> tuple[Samples, Samples]:
    train, test = (_samples(folder, part, mean, deviation) for part in ("train", "t10k"))
    return train, test


def _samples(folder: Path, part: str, mean: float, deviation: float) -> Samples:
    images, labels = read_labelled(folder, part)
    if labels.size and labels.max() > 9:
        raise ValueError(f"{folder} ({part}): expected labels 0..9, got {labels.max()}")
    pixels = torch.from_numpy(images).unsqueeze(1).to(torch.float32)
    return Samples(pixels.div_(255.0).sub_(mean).div_(deviation), torch.from_numpy(labels.astype(np.int64)))
