"""The work that all peers do, and how it is timed: only what their own environments hold is imported here.

Each of 32 clients takes one step on one batch of 32 random images of 28 x 28 pixels; their models are averaged.
"""

from __future__ import annotations

import json
import os
import sys
import time

import torch
from torch import Tensor, nn

WARM = 2  # rounds that are not counted


def network(name: str) -> nn.Sequential:
    """Build mlp (d = 266,610) or lenet5 (431,080)."""
    if name == "mlp":
        hidden = (nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU())
        return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(100, 10))
    features = (nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten())
    return nn.Sequential(*features, nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))


def samples(client: int, batch: int) -> tuple[Tensor, Tensor]:
    """Draw one client's only batch: images (B, 1, 28, 28) and classes (B,)."""
    source = torch.Generator().manual_seed(client)
    return torch.rand(batch, 1, 28, 28, generator=source), torch.randint(0, 10, (batch,), generator=source)


def asked() -> tuple[str, int, int, int]:
    """Read the command line: model, counted rounds, clients, batch."""
    model, *numbers = sys.argv[1:]
    rounds, clients, batch = map(int, numbers)
    torch.set_num_threads(1)
    return model, rounds, clients, batch


class Meter:
    """Reads the clocks at the end of each round: of this process, and of all processes that descend from it."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.wall: list[float] = []

    def read(self) -> None:
        """Note the seconds so far."""
        self.cpu.append(time.process_time() + descendants())
        self.wall.append(time.perf_counter())

    def report(self, module: nn.Module) -> None:
        """Print each counted round's seconds as one line of JSON."""
        cpu, wall = (_steps(readings)[WARM:] for readings in (self.cpu, self.wall))
        size = sum(p.numel() for p in module.parameters())
        print(json.dumps({"cpu_s": cpu, "wall_s": wall, "coordinates": size}), flush=True)


def descendants() -> float:
    """Add up the processor seconds of the processes that this one started, and of those that they started."""
    import psutil

    total = 0.0
    for process in psutil.Process(os.getpid()).children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.Error:  # it has just ended
            continue
        total += times.user + times.system
    return total


def _steps(readings: list[float]) -> list[float]:
    return [after - before for before, after in zip(readings, readings[1:], strict=False)]
