"""Time rounds with very many workers, and the clock's share of a round when all of them differ.

    python benchmarks/scale.py                 # 10,000 workers alike; then 1,000 different ones on a star
    python benchmarks/scale.py --json

Both are real runs (recorder, payloads, counters, clock, trace file) of top-k 1 % with error feedback, batch 8, sampled
IID with replacement, on the full Fashion-MNIST if its files are here, else on the embedded subset. A round is all of it
but evaluation. Gradients are taken in chunks of 500 workers (the default of 8 is meant for larger models: with softmax
regression a chunk of 8 workers is 64 samples, and calling overhead is all there is). The heterogeneous star has 1,000
different upload rates, download rates and latencies, and 1,000 different compute speeds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import facts, peak_bytes
from benchmarks.results import give
from benchmarks.stages import Rounds, built, medians, table
from simulator.tasks.sources import FASHION_MNIST, locate

_WARM = 2


def task() -> str:
    """Choose the full data set if it is here."""
    try:
        locate(FASHION_MNIST, None)
    except FileNotFoundError:
        return "fashion_mnist_mini"
    return "fashion_mnist"


def different(workers: int) -> list[str]:
    """Make every worker's links and speed its own: rates over a decade, latencies from 5 to 50 ms, speeds 0.5 to 2."""
    position = np.random.default_rng(0).permutation(workers) / max(1, workers - 1)
    values = {
        "network.up_bps": 10e6 * 10.0**position,
        "network.down_bps": 50e6 * 10.0 ** position[::-1],
        "network.latency_s": 0.005 + 0.045 * np.roll(position, 7),
        "compute.speed": 0.5 * 4.0 ** np.roll(position, 13),
    }
    rates = [f"{key}=[{','.join(repr(float(v)) for v in column)}]" for key, column in values.items()]
    return [*rates, "network.server_up_bps=1e9", "network.server_down_bps=1e9", "network.server_latency_s=0.001"]


def measure(options: argparse.Namespace, workers: int, model: str, extra: list[str]) -> dict[str, Any]:
    """Run `options.rounds` rounds and give the medians of their parts."""
    fixed = {
        "task": task(),
        "model": model,
        "partition": "iid_replacement",
        "algorithm": options.algorithm,
        "network": "lan_1g",
        "workers": workers,
        "batch": options.batch,
        "chunk": options.chunk,
        "rounds": options.rounds + _WARM,
        "checkpoint_every": options.rounds + _WARM,
        "threads": options.threads or "null",
        "device": "cpu",
    }
    with tempfile.TemporaryDirectory() as folder:
        run = built([*(f"{key}={value}" for key, value in fixed.items()), *extra, *options.set], Path(folder) / "run")
        rounds = Rounds(run)
        summary = rounds.execute()
        clock, seconds = rounds.inside["clock"][_WARM:], rounds.seconds[_WARM:]
        return {
            "task": fixed["task"],
            "model": model,
            "workers": workers,
            "coordinates": run.task.layout.size,
            "rounds": len(seconds),
            "seconds_per_round": statistics.median(seconds),
            "seconds_per_round_min": min(seconds),
            "clock_s": statistics.median(clock),
            "clock_share": statistics.median(c / s for c, s in zip(clock, seconds, strict=True)),
            "evaluation_s": statistics.median([s for s in rounds.evaluation if s]),
            "stages_median_s": medians(rounds.stages, _WARM),
            "inside_median_s": medians(rounds.inside, _WARM),
            "digest": summary["digest"],
        }


def show(title: str, row: dict[str, Any]) -> None:
    """Print one measurement."""
    print(f"{title}: {row['workers']:,} workers, {row['model']} (d = {row['coordinates']:,}), {row['task']}")
    print(table(row["stages_median_s"], row["inside_median_s"], row["seconds_per_round"]))
    print(f"  {row['seconds_per_round']:.3f} s per round (median of {row['rounds']}; least "
          f"{row['seconds_per_round_min']:.3f}), clock {row['clock_share']:.1%} of it\n")  # fmt: skip


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=10_000)
    parser.add_argument("--different", type=int, default=1_000, help="workers of the heterogeneous star")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--chunk", type=int, default=500)
    parser.add_argument("--algorithm", default="topk")
    parser.add_argument("--threads", type=int, help="Python threads over chunks, one per core by default")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--set", action="append", default=[], help="any other override")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="end with one line of JSON, or write it to FILE"
    )
    options = parser.parse_args()
    many = measure(options, options.workers, "softmax", [])
    show("alike", many)
    used = peak_bytes()
    star = {}
    for model, chunk in (("softmax", options.chunk), ("mlp", 8)):
        star[model] = measure(options, options.different, model, [*different(options.different), f"chunk={chunk}"])
        show("all different", star[model])
    result = {
        "seconds_per_round": many["seconds_per_round"],
        "clock_share_heterogeneous": star["softmax"]["clock_share"],
        "clock_share_heterogeneous_mlp": star["mlp"]["clock_share"],
        "peak_memory_bytes": used,
        "alike": many,
        "heterogeneous": star,
        "options": {key: value for key, value in vars(options).items() if key != "json"},
        "machine": facts(),
    }
    print(f"peak memory with {options.workers:,} workers: {used / 1e6:.0f} MB")
    if options.json:
        give(result, options.json)


if __name__ == "__main__":
    main()
