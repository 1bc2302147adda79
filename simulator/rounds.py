"""A trace in rounds, each up to and with its mark, and which of them are equal."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from simulator.trace import Entry, Header, read_header, read_lines

# What numbers a round in it, and changes nothing but which stragglers it meets.
_NUMBER = re.compile(r'"(?:step|round)":\d+')
_USES_SERVER = ("at_server", "broadcast", "scatter")


@dataclass(frozen=True)
class Round:
    """The entries between two marks; rounds of one `kind` differ in nothing but their numbers."""

    number: int
    kind: int
    entries: tuple[Entry, ...]

    @property
    def server_first(self) -> bool:
        """Whether it asks for the server before anything was sent there, so that the server's own time matters."""
        for entry in self.entries:
            if entry["op"] == "gather":
                return False
            if entry["op"] in _USES_SERVER:
                return True
        return False


@dataclass(frozen=True)
class Rounds:
    """A whole trace of workers in lockstep."""

    header: Header
    rounds: Sequence[Round]

    @cached_property
    def repeated(self) -> frozenset[int]:
        """The kinds that occur more than once."""
        return frozenset(kind for kind, times in Counter(each.kind for each in self.rounds).items() if times > 1)

    @cached_property
    def ops(self) -> frozenset[str]:
        """The ops that occur."""
        return frozenset(entry["op"] for each in self.rounds for entry in each.entries)

    @cached_property
    def pieces(self) -> bool:
        """Whether some message is sent in pieces while the rest is encoded."""
        return any("pieces" in entry for each in self.rounds for entry in each.entries)


def read_rounds(path: Path) -> Rounds | None:
    """Read a trace; None if it is of programs that talk by messages, which has no rounds.

    Raises
    ------
    ValueError
        If the file is missing or damaged.
    """
    header = read_header(path)
    kinds: dict[str, int] = {}
    rounds, entries, texts = list[Round](), list[Entry](), list[str]()
    for line, entry in read_lines(path):
        if "process" in entry:
            return None
        entries.append(entry)
        texts.append(_NUMBER.sub("", line))
        if entry["op"] == "mark":
            rounds.append(Round(entry["round"], kinds.setdefault("".join(texts), len(kinds)), tuple(entries)))
            entries, texts = [], []
    return Rounds(header, rounds)
