"""The tensors of torchvision's ResNet-50."""

from __future__ import annotations

from collections.abc import Iterator

from algorithms.layout import Layout


def _tensors() -> Iterator[tuple[int, ...]]:
    yield from _convolution(3, 64, 7)
    inputs = 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            yield from _convolution(inputs, width, 1)
            yield from _convolution(width, width, 3)
            yield from _convolution(width, 4 * width, 1)
            if block == 0:
                yield from _convolution(inputs, 4 * width, 1)
            inputs = 4 * width
    yield (1000, 2048)
    yield (1000,)


def _convolution(inputs: int, outputs: int, side: int) -> Iterator[tuple[int, ...]]:
    """A convolution without bias, and the scale and the shift of the normalisation after it."""
    yield (outputs, inputs, side, side)
    yield (outputs,)
    yield (outputs,)


def layout() -> Layout:
    """Give the 161 tensors, d = 25,557,032."""
    shapes = tuple(_tensors())
    return Layout(tuple(f"t{i}" for i in range(len(shapes))), shapes)
