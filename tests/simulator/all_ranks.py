"""Run by torchrun in the tests: every synchronous algorithm, one after the other, in one process group."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
import torch.distributed as dist

from simulator.drivers.distributed import TorchDistributed
from simulator.runner import Run, World
from tests.running import composed


def main() -> None:
    folder, *cases = sys.argv[1:]
    dist.init_process_group("gloo")
    rank, size = dist.get_rank(), dist.get_world_size()
    digests = {}
    for case in cases:
        config = composed(*case.split())
        run = Run(config, Path(folder) / str(len(digests)), World(rank, size, TorchDistributed(torch.device("cpu"))))
        digests[case] = run.execute()["digest"]
    gathered: list[dict[str, str]] = [{}] * size
    dist.all_gather_object(gathered, digests)
    if rank == 0:
        (Path(folder) / "digests.json").write_text(json.dumps(gathered))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
