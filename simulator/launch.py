"""Start a run where it is: in this process, or as one rank of a torchrun group."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from simulator.cached import obtain
from simulator.records.folder import RunFolder
from simulator.report import print_report
from simulator.runner import Run, World


def launch(
    config: DictConfig, folder: Path, report: Callable[[RunFolder, dict[str, Any]], None] = print_report
) -> None:
    """Run a configuration in `folder` and report on it, unless told otherwise by the closing table.

    Raises
    ------
    ValueError
        If ``driver=distributed`` is asked for outside torchrun, or with an algorithm or key that it cannot serve.
    """
    if config.driver == "auto" and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        config.driver = "distributed"  # several ranks that each ran it all would write into one folder
    if config.driver != "distributed":
        if config.cache == "on":
            obtained = obtain(config, folder)
            print(obtained)
            report(obtained.folder, obtained.summary)
        else:
            run = Run(config, folder)
            report(run.folder, run.execute())
        return
    if "RANK" not in os.environ:
        raise ValueError("driver: expected torchrun --nproc-per-node N -m simulator ... for driver=distributed")
    import torch
    import torch.distributed as dist

    from simulator.drivers.distributed import TorchDistributed

    cuda = config.device != "cpu" and torch.cuda.is_available()
    if cuda:
        config.device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    dist.init_process_group("nccl" if cuda else "gloo")
    try:
        rank, size = dist.get_rank(), dist.get_world_size()
        if config.resume:
            raise ValueError("resume: expected false with driver=distributed, which keeps no checkpoints, got true")
        config.checkpoint_every = config.rounds
        meeting = TorchDistributed(torch.device(config.device if cuda else "cpu"))
        run = Run(config, folder, World(rank, size, meeting))
        if run.messaging:
            raise ValueError(
                f"algorithm: expected a synchronous one, got {config.algorithm.name} with driver=distributed"
            )
        summary = run.execute()
        dist.barrier()
        if rank == 0:
            report(run.folder, summary)
    finally:
        dist.destroy_process_group()
