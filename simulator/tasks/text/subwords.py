"""Subword vocabularies by byte pair encoding, learned from the training text.

A text is cut into pieces, words and punctuation marks, each with the blank before it (written U+2581), so that the
parts of a text joined give the text back. Within pieces, the most frequent pair of neighbouring parts becomes one,
again and again.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

BLANK = "\u2581"
PAD, BEGIN, END, UNKNOWN = range(4)
SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")
_PIECE = re.compile(r"\u2581?\w+|\u2581?[^\w\u2581]+|\u2581")

Pair = tuple[str, str]


def pieces(text: str) -> list[str]:
    """Cut a text at blanks and between letters and marks; any white space counts as one blank."""
    return _PIECE.findall(BLANK + BLANK.join(text.split()))


@dataclass(frozen=True)
class Subwords:
    """The parts that have a number: four special ones, characters, merged pairs.

    Parameters
    ----------
    symbols : tuple of str
        In the order of their numbers.
    merges : tuple of pairs
        In the order in which they were learned, which is that in which they are applied.
    """

    symbols: tuple[str, ...]
    merges: tuple[Pair, ...]
    _number: dict[str, int] = field(init=False, repr=False, compare=False)
    _rank: dict[Pair, int] = field(init=False, repr=False, compare=False)
    _known: dict[str, list[int]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_number", {symbol: number for number, symbol in enumerate(self.symbols)})
        object.__setattr__(self, "_rank", {pair: rank for rank, pair in enumerate(self.merges)})

    @classmethod
    def learn(cls, texts: Iterable[str], size: int) -> Subwords:
        """Learn a vocabulary of at most `size` parts.

        Parameters
        ----------
        texts : iterable of str
            Sentences, of both languages where one vocabulary serves both.
        size : int
            Special ones included. It is not filled where no pair occurs twice any more.

        Raises
        ------
        ValueError
            If there is no room for the characters.

        References
        ----------
        Sennrich, Haddow, Birch, "Neural machine translation of rare words with subword units", ACL 2016, algorithm 1.
        Of equally frequent pairs the one that is first in the alphabet is merged.
        """
        counts = Counter(piece for text in texts for piece in pieces(text))
        alphabet = sorted({character for piece in counts for character in piece})
        room = size - len(SPECIAL) - len(alphabet)
        if room < 0:
            raise ValueError(f"task.vocabulary: expected at least {size - room}, the characters' number, got {size}")
        merges = tuple(_merges(counts, room))
        return cls((*SPECIAL, *alphabet, *dict.fromkeys(a + b for a, b in merges)), merges)

    def encode(self, text: str) -> list[int]:
        """Give the numbers of a text's parts."""
        return [number for piece in pieces(text) for number in self._encode_piece(piece)]

    def decode(self, numbers: Iterable[int]) -> str:
        """Join parts; special ones say nothing, but for the unknown, a question mark."""
        parts = ("?" if n == UNKNOWN else self.symbols[n] for n in numbers if n == UNKNOWN or n >= len(SPECIAL))
        return "".join(parts).replace(BLANK, " ").strip()

    def _encode_piece(self, piece: str) -> list[int]:
        if piece not in self._known:
            parts = list(piece)
            while len(parts) > 1:
                pair = min(zip(parts, parts[1:], strict=False), key=lambda pair: self._rank.get(pair, len(self._rank)))
                if pair not in self._rank:
                    break
                parts = merged(parts, pair)
            self._known[piece] = [self._number.get(part, UNKNOWN) for part in parts]
        return self._known[piece]


def merged(parts: list[str], pair: Pair) -> list[str]:
    """Join every occurrence of a pair, from the left."""
    found, i = list[str](), 0
    while i < len(parts):
        joined = i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair
        found.append(parts[i] + parts[i + 1] if joined else parts[i])
        i += 2 if joined else 1
    return found


def _merges(counts: Counter[str], room: int) -> Iterable[Pair]:
    """Yield up to `room` merges; only the pieces that hold a merged pair are counted again."""
    words = [list(piece) for piece in counts]
    often = list(counts.values())
    total, holders = Counter[Pair](), defaultdict[Pair, set[int]](set)
    for number, parts in enumerate(words):
        for pair in zip(parts, parts[1:], strict=False):
            total[pair] += often[number]
            holders[pair].add(number)
    queue = [(-count, pair) for pair, count in total.items()]
    heapq.heapify(queue)
    learned = set[str]()
    while queue and len(learned) < room:
        count, pair = heapq.heappop(queue)
        if total[pair] != -count:
            continue  # an entry that a later one has replaced
        if -count < 2:
            return
        touched = set[Pair]()
        for number in holders.pop(pair):
            before = words[number]
            after = words[number] = merged(before, pair)
            for parts, sign in ((before, -1), (after, 1)):
                for neighbours in zip(parts, parts[1:], strict=False):
                    total[neighbours] += sign * often[number]
                    touched.add(neighbours)
                    if sign > 0:
                        holders[neighbours].add(number)
        for neighbours in touched - {pair}:
            heapq.heappush(queue, (-total[neighbours], neighbours))
        learned.add(pair[0] + pair[1])
        yield pair
