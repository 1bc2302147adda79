"""Find finished runs and read what answers need of them; a half-written folder is left out and named."""

from __future__ import annotations

import glob
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simulator.records.folder import RunFolder, RunFolderError

Floats = npt.NDArray[np.float64]


class Missing(ValueError):
    """What was asked for was never measured: another thing than a target that was not reached."""


@dataclass(frozen=True)
class Finished:
    """One finished run.

    Parameters
    ----------
    folder : RunFolder
    config, summary : mapping
        As the folder has them.
    """

    folder: RunFolder
    config: Mapping[str, Any]
    summary: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> Finished:
        """Read a run folder.

        Raises
        ------
        RunFolderError
            If no run ended there, or a file is damaged.
        """
        folder = RunFolder(path)
        folder.require_complete()
        run = cls(folder, folder.read_config(), folder.read_json("summary"))
        if len(run.seconds) != len(run.rounds) or not len(run.rounds):
            raise RunFolderError(f"run: expected the same marks, at least one, in the metrics and timeline of {path}")
        return run

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def seed(self) -> int:
        return int(self.config["seed"])

    @property
    def workers(self) -> int:
        return int(self.config["workers"])

    @property
    def racy(self) -> str | None:
        """The op that looked at the clock; None where the run can be played on another network."""
        because = self.summary.get("racy_because")
        return str(because) if because else None

    def name(self, section: str) -> str:
        """What fills a section of the configuration, such as ``topk``."""
        return str(self.config[section]["name"])

    @cached_property
    def _metrics(self) -> pa.Table:
        return self.folder.read_table("metrics")

    @cached_property
    def rounds(self) -> npt.NDArray[np.int64]:
        """The marks that were evaluated, shape (m,)."""
        return np.asarray(self._metrics["round"], dtype=np.int64)

    @cached_property
    def seconds(self) -> Floats:
        """The recorded simulated clock at the marks, shape (m,)."""
        return np.asarray(self.folder.read_table("timeline")["seconds"], dtype=np.float64)

    def column(self, name: str) -> Floats:
        """A column of the metrics, shape (m,), NaN where nothing was measured.

        Raises
        ------
        Missing
            If there is no such column, or nothing in it.
        """
        if name not in self._metrics.column_names:
            known = ", ".join(self._metrics.column_names[:9])
            raise Missing(f"metric: expected one of {known}, ..., got {name!r}")
        values = np.asarray(self._metrics[name].cast(pa.float64()).to_numpy(), dtype=np.float64)
        if not np.isfinite(values).any():
            raise Missing(f"metric: {self.path} has no {name}: its task or method does not give one")
        return values


def find_runs(patterns: Sequence[str], key: str = "runs") -> tuple[list[Finished], list[str]]:
    """Read every finished run that a pattern matches.

    Parameters
    ----------
    patterns : sequence of str
        Globs (``**`` descends) or folders.
    key : str
        How the patterns are called, for the error message.

    Returns
    -------
    list of Finished
        In the order of their paths.
    list of str
        One entry "folder (reason)" for each run left out.

    Raises
    ------
    ValueError
        If nothing matches, or nothing that matches is a finished run.
    """
    matches = sorted({Path(match) for pattern in patterns for match in glob.glob(pattern, recursive=True)})
    asked = " ".join(f"{key}='{pattern}'" for pattern in patterns)
    if not matches:
        raise ValueError(f"{asked}: expected folders of finished runs, got a pattern that matches nothing")
    found: list[Finished] = []
    left: list[str] = []
    for path in (match for match in matches if RunFolder(match).begun):
        try:
            found.append(Finished.read(path))
        except RunFolderError as error:
            left.append(f"{path} ({error})")
    if not found:
        got = "; ".join(left) or f"{len(matches)} other files and folders"
        raise ValueError(f"{asked}: expected folders of finished runs, got {got}")
    return found, left
