"""Run folders on several networks, with several numbers of workers, made by hand for the figures that compare them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

RATES = (1e6, 1e7, 1e8)
DELAYS = (0.001, 0.1)
NAMES = ("sgd", "topk", "qsgd", "signsgd_vote", "local_sgd", "randomk")


def link(bandwidth_bps: float, latency_s: float = 0.001) -> dict[str, Any]:
    """Give a network whose workers' links all have this rate and latency."""
    text = f"{bandwidth_bps / 1e6:g} Mbit/s"
    return {"network.up_bps": text, "network.down_bps": text, "network.latency_s": f"{1e3 * latency_s:g} ms"}


def seconds(algorithm: int, bandwidth_bps: float, latency_s: float) -> float:
    """Give a time to the second mark: the later an algorithm stands in NAMES, the fewer bits in the more rounds."""
    return 1e8 / 10**algorithm / bandwidth_bps + 4**algorithm * (0.2 + 3 * latency_s)


def everywhere(write_run: Callable[..., Path], algorithms: int = 3, seeds: int = 1, delays: int = 1) -> None:
    """Write runs `ALGORITHM-RATE-DELAY-SEED` of some algorithms at every rate and the first delays."""
    for number, name in enumerate(NAMES[:algorithms]):
        for rate in RATES:
            for delay in DELAYS[:delays]:
                for seed in range(1, seeds + 1):
                    time = seconds(number, rate, delay) * (1 + 0.2 * (seed - 1))
                    write_run(
                        f"{name}-{rate:g}-{delay:g}-{seed}", algorithm=name, seed=seed, network=f"n{rate:g}",
                        config=link(rate, delay), seconds=(0.0, time, 2 * time),
                        uplink=(0, 900 >> number, 1800 >> number),
                        accuracy=(0.1, 0.5, 0.7 - 0.02 * number + 0.01 * seed), summary={"coordinates": 10},
                        more={"samples": (0.0, 320.0, 640.0)},
                    )  # fmt: skip


def cohorts(write_run: Callable[..., Path], algorithms: int = 2, seeds: int = 2) -> None:
    """Write runs of 2, 4 and 8 workers."""
    for number, name in enumerate(NAMES[:algorithms]):
        for workers in (2, 4, 8):
            for seed in range(1, seeds + 1):
                write_run(
                    f"{name}-w{workers}-{seed}", algorithm=name, seed=seed, workers=workers,
                    seconds=(0.0, 1.0, 2.0 + number * workers / 2 + 0.1 * seed),
                    more={"samples": (0.0, 80.0 * workers, 160.0 * workers)},
                )  # fmt: skip
