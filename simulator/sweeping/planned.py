"""The jobs of a sweep before they are launched: composed once, to know their folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hydra.core.config_loader import ConfigLoader
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from simulator.identity import asked_hash


@dataclass(frozen=True)
class Planned:
    """A job to come.

    Parameters
    ----------
    name : str
        Of its folder in the sweep's.
    numbered : bool
        Whether the name would be another one if the job came elsewhere in the order.
    asked : str
        The hash of its configuration, as it was asked for.
    """

    name: str
    numbered: bool
    asked: str
    overrides: list[str]
    rounds: int


def planned(loader: ConfigLoader, sweep: DictConfig, overrides: Sequence[str], number: int) -> Planned:
    """Compose a job.

    Raises
    ------
    HydraException
        If it cannot be composed.
    ValueError
        If a value in it cannot be resolved.
    """
    try:
        config = loader.load_sweep_config(sweep, list(overrides))
        name, elsewhere = (_name(config, at) for at in (number, number + 1))
        rounds = config.rounds
        return Planned(name, name != elsewhere, asked_hash(config), list(overrides), rounds)
    except OmegaConfBaseException as error:
        raise ValueError(f"{' '.join(overrides)}: {str(error).splitlines()[0]}") from error
    finally:
        HydraConfig.instance().set_config(sweep)


def different(jobs: Sequence[Planned]) -> list[Planned]:
    """Keep one job of each folder; two spellings of one configuration are one job.

    Raises
    ------
    ValueError
        If two configurations would share a folder.
    """
    found: dict[str, Planned] = {}
    for job in jobs:
        if found.setdefault(job.name, job).asked != job.asked:
            pair = " and ".join(" ".join(one.overrides) for one in (found[job.name], job))
            raise ValueError(f"hydra.sweep.subdir: expected a folder for each job, got {job.name} for both {pair}")
    return list(found.values())


def _name(config: DictConfig, number: int) -> str:
    with read_write(config.hydra), open_dict(config.hydra):
        config.hydra.job.num, config.hydra.job.id = number, str(number)
    HydraConfig.instance().set_config(config)
    return str(OmegaConf.select(config, "hydra.sweep.subdir"))
