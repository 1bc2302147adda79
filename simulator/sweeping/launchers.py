"""The launchers that a sweep can have: what they need installed, and how many threads a job of theirs may start."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from omegaconf import DictConfig

# By the name in hydra/launcher=: the package that Hydra finds it in, and our extra that installs it.
NEEDS = {
    "ray_cluster": ("hydra_plugins.hydra_ray_launcher", "ray"),
    "ray": ("hydra_plugins.hydra_ray_launcher", "ray"),
    "slurm": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "submitit_local": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
    "submitit_slurm": ("hydra_plugins.hydra_submitit_launcher", "slurm"),
}


def check_launcher(arguments: Sequence[str]) -> None:
    """Refuse a launcher whose package is missing, before Hydra lists the ones that it knows.

    Raises
    ------
    ValueError
        Naming the extra to install.
    """
    for argument in arguments:
        key, _, name = argument.partition("=")
        package, extra = NEEDS.get(name, ("hydra_plugins", ""))
        if key == "hydra/launcher" and not _installed(package):
            needs = f"pip install 'bitclock[{extra}]'"
            raise ValueError(f"hydra/launcher: expected one that is installed, got {name}, which needs {needs}")


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:
        return False


def cores() -> int:
    """Count the cores that this process may use; under a batch system that is what its job was given."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads_of_a_job(launcher: DictConfig) -> int:
    """Tell how many threads a job may start when nobody says: its share of the machine.

    Parameters
    ----------
    launcher : DictConfig
        Hydra's, as configured; what it does not say about sharing leaves a job all cores.
    """
    target = str(launcher.get("_target_", ""))
    if target.endswith("JoblibLauncher"):
        jobs = launcher.get("n_jobs") or 1
        return max(1, cores() // (jobs if jobs > 0 else max(1, cores() + 1 + jobs)))
    given: Any = None
    if target.endswith("RayLauncher"):
        given = launcher.ray.remote.get("num_cpus") or 1
    elif "submitit" in target:
        given = launcher.get("cpus_per_task")
    return max(1, min(int(given), cores())) if given else cores()
