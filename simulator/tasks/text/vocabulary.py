"""Numbers for symbols: characters or words, the most frequent first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

UNKNOWN = "<unk>"


def characters(text: str) -> list[str]:
    """Take a text apart into its characters."""
    return list(text)


def words(text: str) -> list[str]:
    """Take a text apart at white space, each line's end being a word of its own, as in the Penn Treebank's copies."""
    return [word for line in text.splitlines() for word in (*line.split(), "<eos>")]


UNITS: dict[str, Callable[[str], list[str]]] = {"character": characters, "word": words}


@dataclass(frozen=True)
class Vocabulary:
    """The symbols that have a number of their own; all others share that of `UNKNOWN`, 0.

    Parameters
    ----------
    symbols : tuple of str
        In the order of their numbers, the unknown one first.
    """

    symbols: tuple[str, ...]
    _number: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_number", {symbol: number for number, symbol in enumerate(self.symbols)})

    @classmethod
    def of(cls, symbols: Iterable[str], size: int) -> Vocabulary:
        """Keep at most `size` symbols, the unknown one included: the most frequent, equals in the order of the text."""
        kept = [symbol for symbol, _ in Counter(symbols).most_common(size) if symbol != UNKNOWN]
        return cls((UNKNOWN, *kept[: size - 1]))

    def encode(self, symbols: Sequence[str]) -> Tensor:
        """Give each symbol's number, shape (N,), int64."""
        return torch.tensor([self._number.get(symbol, 0) for symbol in symbols], dtype=torch.int64)
