"""Metrics as TensorBoard's scalars."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from simulator.trackers.tracker import numbers, require


class TensorBoard:
    """Writes scalars by round, the configuration and the summary as text.

    Parameters
    ----------
    folder : str or None
        Where event files go; None: ``tensorboard`` in the run's folder.

    Raises
    ------
    ValueError
        If the package is not installed.

    Notes
    -----
    A run that goes on from a checkpoint takes back what had been told of later rounds.
    """

    def __init__(self, folder: str | None = None, name: str = "tensorboard") -> None:
        require("tensorboard", name)
        self.folder, self.name = folder, name

    def start(self, config: Mapping[str, Any], folder: Path, after: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        target = Path(self.folder) if self.folder is not None else folder / "tensorboard"
        self._writer = SummaryWriter(str(target), purge_step=after + 1 if after else None)
        self._text("config", config)

    def mark(self, t: int, figures: Mapping[str, float]) -> None:
        for key, value in figures.items():
            self._writer.add_scalar(key, value, t)
        self._writer.flush()

    def end(self, summary: Mapping[str, Any] | None) -> None:
        if summary is not None:
            self._text("summary", summary)
            for key, value in numbers(summary).items():
                self._writer.add_scalar(f"summary/{key}", value)
        self._writer.close()

    def _text(self, tag: str, content: Mapping[str, Any]) -> None:
        """Show a mapping as a block of yaml."""
        text = yaml.safe_dump(dict(content), sort_keys=False)
        self._writer.add_text(tag, "\n".join(f"    {line}" for line in text.splitlines()))
