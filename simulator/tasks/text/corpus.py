"""Plain text and line-aligned parallel text from files, raw or gzipped."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from simulator.tasks.validation import real

Pairs = list[tuple[str, str]]


class Corpus(Protocol):
    """Running text; constructing one is cheap, `load` reads the files."""

    def load(self) -> tuple[str, str]:
        """Give the training and the test text."""
        ...


class Bitext(Protocol):
    """Pairs of sentences that say the same in two languages."""

    def load(self) -> tuple[Pairs, Pairs]:
        """Give the training and the test pairs (source, target)."""
        ...


class TextFile:
    """Running text from one file, whose end is the test text, or from two.

    Parameters
    ----------
    train : str or None
        Path of the text (UTF-8), raw or gzipped.
    test : str or None
        Path of the test text; None takes the end of `train`.
    test_share : float
        The share of characters that is taken off the end of `train` then, in (0, 1).
    """

    def __init__(self, *, train: str | None = None, test: str | None = None, test_share: float = 0.1) -> None:
        self.train, self.test = train, test
        self.test_share = real("task.corpus.test_share", test_share, 0.0, open_below=True)
        if self.test_share >= 1:
            raise ValueError(f"task.corpus.test_share: expected a share in (0, 1), got {test_share}")

    def load(self) -> tuple[str, str]:
        """Read the text.

        Raises
        ------
        FileNotFoundError
            If a file is not there or none is named.
        ValueError
            If a file is damaged or not UTF-8.
        """
        text = read_text("task.corpus.train", self.train, "any plain text will do, or take the task's _mini twin")
        if self.test is not None:
            return text, read_text("task.corpus.test", self.test)
        cut = len(text) - round(len(text) * self.test_share)
        return text[:cut], text[cut:]


@dataclass(frozen=True)
class ParallelFiles:
    """Sentence pairs from four files of one sentence a line: line i of the source is line i of the target.

    Parameters
    ----------
    train_source, train_target, test_source, test_target : str or None
        Paths (UTF-8), raw or gzipped. Pairs with an empty side are left out.
    """

    train_source: str | None = None
    train_target: str | None = None
    test_source: str | None = None
    test_target: str | None = None

    def load(self) -> tuple[Pairs, Pairs]:
        """Read the pairs.

        Raises
        ------
        FileNotFoundError
            If a file is not there or none is named.
        ValueError
            If a file is damaged or not UTF-8, or two files differ in their number of lines.
        """
        return self._part("train"), self._part("test")

    def _part(self, part: str) -> Pairs:
        keys = [f"task.corpus.{part}_{side}" for side in ("source", "target")]
        paths: list[str | None] = [getattr(self, key.rpartition(".")[2]) for key in keys]
        hint = "one sentence a line, or take task=translation_mini"
        sides = [
            [line.strip() for line in read_text(key, path, hint).split("\n")]
            for key, path in zip(keys, paths, strict=True)
        ]
        for side in sides:
            if side[-1] == "":
                side.pop()
        if len(sides[0]) != len(sides[1]):
            raise ValueError(f"{keys[1]}: expected {len(sides[0])} lines as in {paths[0]}, got {len(sides[1])}")
        return [(source, target) for source, target in zip(*sides, strict=True) if source and target]


def read_text(key: str, path: str | None, hint: str = "") -> str:
    """Read a UTF-8 text, raw or gzipped (recognised by its first two bytes); an error names the configuration's key."""
    more = f"; {hint}" if hint else ""
    if path is None:
        raise FileNotFoundError(f"{key}: expected the path of a text file, got null{more}")
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(f"{key}: expected a text file, got no such file as {file}{more}")
    content = file.read_bytes()
    try:
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        return content.decode("utf-8").replace("\r\n", "\n")
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise ValueError(f"{key}: expected whole UTF-8 text in {file}, got {error}") from error
