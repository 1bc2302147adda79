"""The progress bar: round, loss, accuracy, simulated clock, bytes up and down, real speed."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from omegaconf import DictConfig
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

_FIELDS = " ".join(f"{name} {{task.fields[{name}]}}" for name in ("loss", "accuracy", "clock", "up", "down"))


def size(count: float) -> str:
    """Write a number of bytes with an SI prefix."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.4g} TB"


def duration(seconds: float) -> str:
    """Write seconds so that a person can read them."""
    if seconds < 1:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


class Progress:
    """A bar on standard error for one run."""

    def __init__(self, config: DictConfig, enabled: bool) -> None:
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            MofNCompleteColumn(),
            TextColumn(_FIELDS),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not enabled,
        )
        name = f"{config.algorithm.name} on {config.network.name}, seed {config.seed}"
        empty: dict[str, Any] = dict.fromkeys(("loss", "accuracy", "clock", "up", "down", "speed"), "-")
        self._task = self._bar.add_task(name, total=config.rounds, **empty)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, t: int, row: dict[str, Any], seconds: float) -> None:
        """Show the state after round t: the latest metrics row and the simulated clock."""
        speed = self._bar.tasks[self._task].speed
        self._bar.update(
            self._task,
            completed=t,
            loss=f"{row['loss']:.4g}",
            accuracy="-" if row["accuracy"] is None else f"{row['accuracy']:.2%}",
            clock=duration(seconds),
            up=size(row["uplink_wire_bytes"]),
            down=size(row["downlink_wire_bytes"]),
            speed=f"{speed:.3g} rounds/s" if speed else "-",
        )
