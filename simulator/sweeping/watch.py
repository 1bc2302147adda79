"""Watch a sweep's folder while any launcher fills it: one display for all jobs, and a line for each that ends."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from simulator.progress import duration, size
from simulator.records.folder import RunFolder, RunFolderError
from simulator.sweeping.failure import path as failure_path
from simulator.sweeping.failure import read_failure
from simulator.sweeping.folder import SweepFolder, fraction

_EVERY_S = 0.5
_LINE_EVERY_S = 60.0  # where no terminal can show a bar


class Watch:
    """The one voice of a sweep.

    Parameters
    ----------
    folder : SweepFolder
        Where the jobs write; on a cluster it must be seen from here.
    rounds : Mapping
        Of each job that is to run, by the name of its folder.
    shown : bool
        False silences the display, not the lines of what ended.

    Notes
    -----
    The time left is the time so far times what is left over what was done since; half a job counts as half, as of its
    last checkpoint, and every job as much as any other.
    """

    def __init__(self, folder: SweepFolder, rounds: Mapping[str, int], shown: bool) -> None:
        self.folder, self.rounds = folder, dict(rounds)
        self.said: list[str] = []
        self.failed: set[str] = set()
        # A job may find out for itself that it was finished before.
        self._open = {name: count for name, count in rounds.items() if not folder.finished(name)}
        self._known = {name: _stamp(folder, name) for name in rounds}
        self._already: float = len(rounds) - len(self._open)
        self._already += sum(fraction(folder.path / name, count) for name, count in self._open.items())
        self._began, self._line = time.monotonic(), time.monotonic()
        self._stop, self._looking = threading.Event(), threading.Lock()
        console = Console(stderr=True)
        self._shown, self._terminal = shown, console.is_terminal
        columns = (TextColumn("sweep"), BarColumn(bar_width=24), TextColumn("{task.fields[told]}"))
        self._bar = Progress(*columns, console=console, disable=not (shown and self._terminal), transient=True)
        self._task = self._bar.add_task("sweep", total=len(rounds), told=f"0/{len(rounds)} jobs")
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._bar.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._bar.stop()

    def say(self, text: str) -> None:
        """Say an error, and remember it."""
        self.said.append(text)
        print(f"error: {text}", file=sys.stderr, flush=True)

    def tell(self, name: str, why: str) -> None:
        """Say that a job failed, unless that was said."""
        if name not in self.failed:
            self.failed.add(name)
            self.say(f"{name}: {why}")

    def look(self) -> None:
        """Say what has ended since the last look, and bring the display up to date."""
        with self._looking:
            for name in list(self._open):
                self._end(name)
            going = sum(fraction(self.folder.path / name, count) for name, count in self._open.items())
            self._show(len(self.rounds) - len(self._open), going)

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self.look()

    def _end(self, name: str) -> None:
        run = RunFolder(self.folder.path / name)
        try:
            if run.complete:
                print(told(name, run.read_json("summary")), flush=True)
                del self._open[name]
                return
        except RunFolderError:
            return  # what is the matter with it, its job says
        if _stamp(self.folder, name) != self._known[name] and (failure := read_failure(run.path)):
            self.tell(name, str(failure["error"]))
            del self._open[name]

    def _show(self, ended: int, going: float) -> None:
        done, passed = ended + going, time.monotonic() - self._began
        gained = done - self._already
        left = passed * (len(self.rounds) - done) / gained if gained > 0 else None
        about = f", about {duration(left)} left" if left else ""
        failed = f", {len(self.failed)} failed" if self.failed else ""
        text = f"{ended}/{len(self.rounds)} jobs{failed}{about}"
        self._bar.update(self._task, completed=done, told=text)
        if self._shown and not self._terminal and time.monotonic() - self._line > _LINE_EVERY_S:
            self._line = time.monotonic()
            print(f"sweep: {text}", file=sys.stderr, flush=True)


def told(name: str, summary: Mapping[str, Any]) -> str:
    """Put a finished run into one line."""
    accuracy = summary.get("final_accuracy")
    reached = f"loss {summary['final_loss']:.4g}" if accuracy is None else f"accuracy {accuracy:.2%}"
    simulated = duration(summary["simulated_seconds"] or 0.0)
    up, down = (size(summary[f"{way}link_wire_bytes"]) for way in ("up", "down"))
    return f"{name}: {reached}, simulated {simulated}, up {up}, down {down}, digest {summary['digest'][:16]}"


def _stamp(folder: SweepFolder, name: str) -> int | None:
    """Give when a job's failure was noted, in nanoseconds, so that an earlier attempt's is not taken for a new one."""
    try:
        return failure_path(folder.path / name).stat().st_mtime_ns
    except FileNotFoundError:
        return None
