"""Random changes to training images, drawn from each worker's own counter-based stream.

The change of a sample depends on (seed, worker, position in the worker's sequence of samples) only: not on the order of
calls, the batching of workers or the device. w workers, B samples per batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from algorithms.streams import Stream
from simulator.tasks.batches import first
from simulator.tasks.validation import real, whole


class Augmentation(Protocol):
    """Changes a step's training images; calls are re-entrant."""

    def __call__(self, images: Tensor, workers: Tensor, step: int | Tensor, stream: Stream) -> Tensor:
        """Give changed images, shape (w, B, C, H, W) like those given, for workers (w,) at a step (see `Sampler`)."""
        ...


class CropFlip:
    """Pad each image on all sides, cut out a random window of the old size, mirror every other one, blot out a square.

    Parameters
    ----------
    pad : int
        Pixels on each side, at least 0.
    flip : bool
        Whether to mirror left and right with probability 1/2.
    fill : float or sequence of float
        What the padding holds, for all channels or one for each, in the units of the normalised images: black is
        -mean / deviation, the mean colour 0.

    cutout : int
        Side of a square, anywhere within the result, that is set to the mean colour; 0: none.

    Raises
    ------
    ValueError
        If `pad` or `cutout` is below 0; later, if `fill` has not one number for each channel or the square is larger
        than the images.

    References
    ----------
    He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016, section 4.2; Page, "How to train
    your ResNet", 2018 (cutout of 8 within the image).
    """

    def __init__(
        self, *, pad: int = 4, flip: bool = True, fill: float | Sequence[float] = 0.0, cutout: int = 0
    ) -> None:
        self.pad, self.flip = whole("task.augmentation.pad", pad, 0), flip
        self.cutout = whole("task.augmentation.cutout", cutout, 0)
        values = fill if isinstance(fill, Sequence) else [fill]
        self.fill = [real("task.augmentation.fill", value, -1e9) for value in values]

    def __call__(self, images: Tensor, workers: Tensor, step: int | Tensor, stream: Stream) -> Tensor:
        """Change the images (see `Augmentation`)."""
        if len(self.fill) not in (1, images.shape[2]):
            raise ValueError(
                f"task.augmentation.fill: expected one number or {images.shape[2]}, one for each channel, "
                f"got {self.fill}"
            )
        w, b, _, height, width = images.shape
        if self.cutout > min(height, width):
            raise ValueError(
                f"task.augmentation.cutout: expected at most {min(height, width)}, the images' side, got {self.cutout}"
            )
        workers = workers.cpu()
        positions = torch.arange(b) + first(step, b)

        def draw(name: str, high: int) -> Tensor:
            return stream.at(name).integers(workers, positions, high).expand(w, b).reshape(-1, 1).to(images.device)

        rows = torch.arange(height, device=images.device) + draw("row", 2 * self.pad + 1) - self.pad
        columns = torch.arange(width, device=images.device) + draw("column", 2 * self.pad + 1) - self.pad
        if self.flip:
            columns = torch.where(draw("flip", 2) == 1, columns.flip(1), columns)
        inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
        rows, columns = rows.clamp_(0, height - 1), columns.clamp_(0, width - 1)
        samples = torch.arange(w * b, device=images.device)[:, None, None]
        cut = images.flatten(0, 1).permute(0, 2, 3, 1)[samples, rows[:, :, None], columns[:, None, :]]
        fill = torch.tensor(self.fill, dtype=images.dtype, device=images.device)
        changed = torch.where(inside[..., None], cut, fill).permute(0, 3, 1, 2)
        if self.cutout:
            rows = torch.arange(height, device=images.device) - draw("cutout row", height - self.cutout + 1)
            columns = torch.arange(width, device=images.device) - draw("cutout column", width - self.cutout + 1)
            rows, columns = ((side >= 0) & (side < self.cutout) for side in (rows, columns))
            changed = changed.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)
        return changed.unflatten(0, (w, b))
