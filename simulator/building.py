"""Make the parts that a configuration names; what times a run is made and checked apart from what trains it."""

from __future__ import annotations

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig

from network_models import Network
from simulator.compute import Compute, Measured
from simulator.tasks.task import Task


def built(node: DictConfig, key: str) -> Any:
    """Instantiate a group; an argument of the wrong kind is reported under its key."""
    try:
        return instantiate(node, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, (ValueError, FileNotFoundError)):
            raise ValueError(str(cause)) from error
        raise ValueError(f"{key}: {cause or error}") from error


def conditions(config: DictConfig) -> tuple[Network, Compute]:
    """Make the network and the compute model of a configuration.

    Raises
    ------
    ValueError
        If one of them is for another number of workers than the run.
    """
    network, compute = built(config.network, "network"), built(config.compute, "compute")
    if network.workers != config.workers:
        raise ValueError(f"network.workers: expected workers={config.workers}, got {network.workers}")
    if config.compute.workers != config.workers:
        raise ValueError(f"compute.workers: expected workers={config.workers}, got {config.compute.workers}")
    return network, compute


def calibrate(config: DictConfig, compute: Compute, task: Task | None = None) -> None:
    """Write the prices of a compute model that is measured into the configuration, so that a repeat shares them.

    Parameters
    ----------
    task : Task, optional
        On which to measure what is not known; made if needed.
    """
    if isinstance(compute, Measured):
        for key, value in compute.prepare(task or built(config.task, "task"), config.task.name).items():
            config.compute[key] = value
