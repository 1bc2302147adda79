"""Which run may be gone on with."""

from __future__ import annotations

from omegaconf import DictConfig

from simulator.config import differences, plain
from simulator.records.folder import RunFolder, RunFolderError


def admit(folder: RunFolder, config: DictConfig) -> None:
    """Refuse to touch the run in a folder unless it is this one and is to be resumed.

    Raises
    ------
    RunFolderError
        Naming every setting that differs.
    """
    if not config.resume:
        raise RunFolderError(
            f"hydra.run.dir: expected a new folder, got {folder.path}, which holds a run already; "
            "use resume=true to go on with it, or name another folder"
        )
    if changed := differences(folder.read_config(), plain(config)):
        raise RunFolderError("resume: expected the configuration of the run, got changes: " + "; ".join(changed))
