"""What a payload must offer to fit an all-reduce."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

from algorithms.payloads.payload import Payload


@runtime_checkable
class Summable(Protocol):
    """A payload whose rows can be summed on the way, chunk by chunk."""

    def merged_bytes(self, count: int) -> int:
        """Give the bytes of a message in which `count` rows were merged: a function of d and `count` alone."""
        ...

    def partials(self, chunks: Sequence[slice]) -> Tensor:
        """Sum the rows of each chunk, shape (chunks, d)."""
        ...

    def merge(self, partials: Tensor) -> Payload:
        """Add chunks' partial sums, shape (chunks, d), from left to right into a payload of one row."""
        ...
