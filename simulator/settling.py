"""Make a run's task with the gradient method that its configuration means, and say what that is."""

from __future__ import annotations

from typing import Any

from omegaconf import DictConfig

from simulator.building import built
from simulator.store.methods import resolved
from simulator.tasks.modelled import Modelled
from simulator.tasks.task import Task


def settled(config: DictConfig) -> tuple[Task, dict[str, Any]]:
    """Make the task; write the method that it takes into the configuration.

    Returns
    -------
    Task
    dict
        For the manifest: the method that was asked for, the one taken, by what it was chosen ('asked', 'rule', or
        'calibration FILE'), and notes, such as a layer without a rule. Empty for a task without a model.

    Raises
    ------
    ValueError
        If the task cannot be made, or a calibration not be read.
    """
    asked = str(config.gradient_method)
    config.gradient_method, by = resolved(config)
    task: Task = built(config.task, "task")
    if not isinstance(task, Modelled):
        config.gradient_method = asked
        return task, {}
    config.gradient_method = task.gradient_method
    return task, {"asked": asked, "method": task.gradient_method, "by": by, "notes": task.fallbacks()}
