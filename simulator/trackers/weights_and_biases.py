"""Metrics for Weights & Biases, offline unless asked otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.trackers.tracker import numbers, require

_MODES = ("online", "offline", "disabled")


class WeightsAndBiases:
    """Logs figures by round; the configuration and the summary are the run's there.

    Parameters
    ----------
    mode : {'offline', 'online', 'disabled'}
        Offline writes into the run's folder, for ``wandb sync``.
    project : str
    entity : str or None
        Whose project.
    group : str or None
        None: the algorithm's name.
    tags : sequence of str

    Raises
    ------
    ValueError
        If the package is not installed, or the mode is unknown.
    """

    def __init__(
        self,
        mode: str = "offline",
        project: str = "bitclock",
        entity: str | None = None,
        group: str | None = None,
        tags: Sequence[str] = (),
        name: str = "wandb",
    ) -> None:
        if mode not in _MODES:
            raise ValueError(f"tracker.mode: expected one of {', '.join(_MODES)}, got {mode!r}")
        require("wandb", name)
        self.name, self.mode, self.project, self.entity = name, mode, project, entity
        self.group, self.tags = group, tuple(tags)

    def start(self, config: Mapping[str, Any], folder: Path, after: int) -> None:
        import wandb

        algorithm, network = (str(config[section]["name"]) for section in ("algorithm", "network"))
        self._run = wandb.init(
            dir=str(folder),
            mode=self.mode,
            project=self.project,
            entity=self.entity,
            group=self.group or algorithm,
            tags=self.tags,
            name=f"{algorithm} on {network}, seed {config['seed']}",
            config=dict(config),
            reinit="create_new",  # a sweep has many runs in one process
            settings=wandb.Settings(console="off", silent=True),
        )

    def mark(self, t: int, figures: Mapping[str, float]) -> None:
        self._run.log(dict(figures), step=t)

    def end(self, summary: Mapping[str, Any] | None) -> None:
        if summary is not None:
            self._run.summary.update(numbers(summary))
        self._run.finish(exit_code=int(summary is None))
