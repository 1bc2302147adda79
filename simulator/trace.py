"""The trace: the ops of a run with their sizes and without their values, one JSON object a line.

The first line is the header: workers, batch, counted FLOPs, and the racy op that tainted the trace, if any. Then one
entry per op, in program order:

==========  =========================================================================================================
op          fields
==========  =========================================================================================================
active      workers: the numbers of the workers that take part from here on (at first all do)
gradient    step: the number of the mini-batch, which keys the straggler draw
work        kind, size: bytes of memory that each worker passes through; pieces: when the next collective sends each of
            several pieces while the one after it is worked on
gather      size: bytes of each worker's message to the server
at_server   size: bytes of memory that the server passes through
broadcast   size: bytes of the server's message to each worker
scatter     size: bytes of the server's message to each worker, which each has its own
all_reduce  size: bytes of each worker's message; merged: bytes after merging 1, 2, ... messages, when it grows
all_gather  size: bytes of each worker's message
fork        name, ready: the fraction of the latest gradient after which the branch may start; its entries follow
end         of the branch
join        name of a branch that is waited for
mark        round
==========  =========================================================================================================

A size that is the same for all active workers is one number, else a list.

Entries of programs that talk by messages also name their `process` (the server's is -1), and there are more of them:

==========  =========================================================================================================
send        to, size
receive     source
timeout     seconds: when waiting for a message ended, nothing having come
hear        source: of whom the server learnt that it has gone, or come
abandon     step: the gradient was given up, because a message came
crash       seconds: when the worker went down; what was on its way from and to it is lost
rejoin      seconds: when it was up again
leave       seconds: when the worker left; 0 where it had not come yet
join        seconds: when it came
lost        to, size, attempt: a transmission, the attempt-th from 0, that did not arrive
resend      to, size, attempt: the one after it
==========  =========================================================================================================
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

Entry = dict[str, Any]


@dataclass(frozen=True)
class Header:
    """What a replay must know beside the entries.

    Parameters
    ----------
    workers, batch : int
    flops_per_step : float
        FLOPs of one worker's forward and backward pass on one mini-batch, counted.
    racy : str or None
        The op whose answer depended on time, with function and line; None when the trace can be re-timed.
    """

    workers: int
    batch: int
    flops_per_step: float
    racy: str | None = None
    version: int = 1


class NotReplayable(ValueError):
    """A trace that time has touched cannot be played on another network."""


class TraceWriter:
    """Appends entries to a file that may be cut back to an earlier length when a run resumes."""

    def __init__(self, path: Path, header: Header, length: int = 0) -> None:
        self.path, self.header = path, header
        self._file: TextIO = open(path, "r+" if length else "w", encoding="utf-8")  # noqa: SIM115 - closed by close()
        if length:
            self._file.truncate(length)
            self._file.seek(length)
        else:
            self._line(asdict(header))

    def _line(self, entry: Entry) -> None:
        self._file.write(json.dumps(entry, separators=(",", ":")) + "\n")

    def append(self, entry: Entry) -> None:
        """Add one entry."""
        self._line(entry)

    def taint(self, racy: str) -> None:
        """Rewrite the header to name the op whose answer depended on time."""
        self.sync()
        header, rest = self.path.read_text(encoding="utf-8").split("\n", 1)
        self._file.seek(0)
        self._file.write(json.dumps(json.loads(header) | {"racy": racy}, separators=(",", ":")) + "\n" + rest)
        self._file.truncate()

    def sync(self) -> int:
        """Force everything to disk and give the file's length in bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Force everything to disk and close."""
        self.sync()
        self._file.close()


def read_header(path: Path) -> Header:
    """Read the first line of a trace.

    Raises
    ------
    ValueError
        If the file is missing or its first line is no header.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return Header(**json.loads(file.readline()))
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"run: expected a folder with a readable trace, got {path} ({error})") from error


def read_lines(path: Path) -> Iterator[tuple[str, Entry]]:
    """Read a trace's entries one by one, each with its line.

    Raises
    ------
    ValueError
        At a line that is not a whole entry.
    """
    with open(path, encoding="utf-8") as file:
        next(file)
        for number, line in enumerate(file, start=2):
            try:
                yield line, json.loads(line)
            except ValueError as error:
                raise ValueError(f"run: {path}, line {number}: not a whole entry; was the run cut off?") from error


def read_trace(path: Path) -> tuple[Header, Iterator[Entry]]:
    """Open a trace: its header, and its entries one by one.

    Raises
    ------
    ValueError
        If the file is missing or its first line is no header.
    """
    return read_header(path), (entry for _, entry in read_lines(path))
