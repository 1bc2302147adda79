"""Hydra's basic sweeper over a sweep that may have begun before. Hydra accepts plugins from this package only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class BitclockSweeper(BasicSweeper):
    """Compose every job once, skip those that are finished, and hand the others to the launcher."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Put the skipping before the launcher that was asked for."""
        # Hydra imports every plugin at every start.
        from simulator.sweeping.remembering import Remembering
        from simulator.sweeping.resuming import Resuming

        hydra_context = replace(
            hydra_context, config_loader=cast(ConfigLoader, Remembering(hydra_context.config_loader))
        )
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        assert self.launcher is not None
        resuming = Resuming(self.launcher)
        resuming.setup(hydra_context=hydra_context, task_function=task_function, config=config)
        self.launcher = resuming

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Leave it to `Resuming`, which composes every job to find its folder."""
