"""CIFAR-10 in its official python layout, and a synthetic stand-in of the same shape.

The release is a folder of five training batches and a test batch, each a pickled dictionary of 10,000 rows of 3,072
bytes (red, green and blue planes of 32 x 32, row by row) and as many labels.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.streams import Stream
from simulator.tasks.datasets import Samples
from simulator.tasks.sources import cache_folder
from simulator.tasks.validation import whole

FOLDER = "cifar-10-batches-py"
TRAIN, TEST = tuple(f"data_batch_{i}" for i in range(1, 6)), ("test_batch",)
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_HARMLESS = {("_codecs", "encode")} | {
    (module, name)
    for name, parent in (("_reconstruct", "multiarray"), ("_frombuffer", "numeric"), ("ndarray", ""), ("dtype", ""))
    for module in ((f"numpy.core.{parent}", f"numpy._core.{parent}") if parent else ("numpy",))
}


class Cifar10:
    """50,000 training and 10,000 test images of ten kinds of things and animals, normalised channel by channel.

    References
    ----------
    Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
    """

    classes = 10
    # of all training pixels, scaled to [0, 1]
    mean, deviation = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)

    def load(self, data_dir: str | None = None) -> tuple[Samples, Samples]:
        """Read it from `data_dir` (the folder or its parent), else the user's cache.

        Raises
        ------
        FileNotFoundError
            If it is in none of these places, telling where to get it.
        ValueError
            If a file is not what the release has.
        """
        folder = find_batches(data_dir)
        return self._read(folder, TRAIN), self._read(folder, TEST)

    def _read(self, folder: Path, names: tuple[str, ...]) -> Samples:
        batches = [read_batch(folder / name) for name in names]
        pixels = torch.from_numpy(np.concatenate([data for data, _ in batches])).view(-1, 3, 32, 32).to(torch.float32)
        mean, deviation = (torch.tensor(values)[:, None, None] for values in (self.mean, self.deviation))
        targets = torch.from_numpy(np.concatenate([labels for _, labels in batches]))
        return Samples(pixels.div_(255.0).sub_(mean).div_(deviation), targets)


def find_batches(data_dir: str | None) -> Path:
    """Give the folder that holds all six batches."""
    given = [Path(data_dir).expanduser()] if data_dir is not None else [cache_folder()]
    places = [place for base in given for place in (base, base / FOLDER)]
    for place in places:
        if all((place / name).is_file() for name in TRAIN + TEST):
            return place
    raise FileNotFoundError(
        f"task.data_dir: expected {', '.join(TRAIN + TEST)} in {' or '.join(map(str, places))}, got no complete set "
        f"there; unpack {URL} and set task.data_dir=<folder that holds {FOLDER}>, or take task=cifar10_mini"
    )


def read_batch(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read one batch.

    Returns
    -------
    data : ndarray of uint8, shape (N, 3072)
    labels : ndarray of int64, shape (N,)

    Raises
    ------
    ValueError
        If the file is no such batch; it is read without running any code that it may name.
    """
    try:
        batch = _DataOnly(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        data, labels = np.asarray(batch[b"data"]), np.asarray(batch[b"labels"], dtype=np.int64)
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ValueError(f"{path}: expected a pickled CIFAR-10 batch with data and labels, got {error!r}") from error
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3072 or labels.shape != data.shape[:1]:
        raise ValueError(
            f"{path}: expected bytes of shape (N, 3072) and N labels, got {data.dtype} {data.shape} and {labels.shape}"
        )
    if labels.size and not (0 <= labels.min() and labels.max() <= 9):
        raise ValueError(f"{path}: expected labels 0..9, got {labels.min()}..{labels.max()}")
    return data, labels


class _DataOnly(pickle.Unpickler):
    """Reads arrays and plain containers; a pickle may otherwise run anything."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _HARMLESS:
            raise pickle.UnpicklingError(f"a reference to {module}.{name}")
        return super().find_class(module, name)


class Cifar10Mini:
    """Made-up images of the shape of CIFAR-10's: a smooth colour pattern for each class, shifted, under noise.

    Parameters
    ----------
    train, test : int
        How many.
    noise : float
        Standard deviation of each pixel's noise; the patterns have deviation 1.
    """

    classes = 10

    def __init__(self, *, train: int = 2000, test: int = 500, noise: float = 1.0) -> None:
        self.train, self.test = whole("task.dataset.train", train, 1), whole("task.dataset.test", test, 1)
        self.noise = noise

    def load(self, data_dir: str | None = None) -> tuple[Samples, Samples]:
        """Draw the images, the same in every run: there is no seed, as there is none in a file."""
        if data_dir is not None:
            raise ValueError(f"task.data_dir: expected null, as the images are made up, got {data_dir!r}")
        stream = Stream("cifar10_mini")
        coarse = stream.at("patterns").normal(torch.arange(self.classes), 3 * 4 * 4).view(-1, 3, 4, 4)
        patterns = torch.nn.functional.interpolate(coarse, size=(32, 32), mode="bicubic")
        patterns /= patterns.std((1, 2, 3), keepdim=True)
        return self._draw(patterns, stream.at("train"), self.train), self._draw(patterns, stream.at("test"), self.test)

    def _draw(self, patterns: Tensor, stream: Stream, count: int) -> Samples:
        numbers = torch.arange(count)
        targets = numbers % self.classes
        shift = stream.at("shift").integers(numbers, 2, 9) - 4
        rows, columns = ((torch.arange(32) + shift[:, axis, None]) % 32 for axis in (0, 1))
        images = patterns[targets[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
        noise = stream.at("noise").normal(numbers, 3072).view(-1, 3, 32, 32)
        return Samples((images + self.noise * noise).contiguous(), targets)
