"""Time rounds as workers and coordinates grow: does a round cost so much per worker, and per coordinate, at any size?

    python benchmarks/linear.py
    python benchmarks/linear.py --workers 32,256 --coordinates 1e5,1e6

Real runs of top-k 1 % with error feedback on MLPs of one hidden layer (784, h, 10), batch 8, chunks of 8 workers, one
thread, processor time of a round (median). The ratio is time per worker, or per coordinate, over that of the first
size; at most 20 % more is the goal. What a round costs at any size makes the first one dear, so beside it stands what
each worker or coordinate beyond the size before adds, over the same between the first two sizes (which may still fit a
cache). All sizes run once, then again, so that a slow minute does not fall on one of them. Workers grow at d = 25,450;
coordinates at 8 workers. The largest take about 2 GB.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.results import Part, Ratio, told, write
from benchmarks.stages import Rounds, built

_WARM = 2
_GOAL = 1.2
_PER_UNIT = 784 + 1 + 10  # coordinates that one more hidden unit brings
_FEW, _SMALL = 8, 32 * _PER_UNIT + 10


def seconds(workers: int, hidden: int, options: argparse.Namespace) -> tuple[int, list[float]]:
    """Run a few rounds; give d and the processor seconds of each."""
    total = options.rounds + _WARM + 1  # the last evaluates and is not counted
    settings = {
        "task": "fashion_mnist_mini",
        "model": "mlp",
        "model.widths": f"[784,{hidden},10]",
        "partition": "iid_replacement",
        "algorithm": options.algorithm,
        "network": "lan_1g",
        "workers": workers,
        "batch": options.batch,
        "rounds": total,
        "eval_every": total,
        "checkpoint_every": total,
        "threads": 1,
        "device": "cpu",
    }
    with tempfile.TemporaryDirectory() as folder:
        run = built([*(f"{key}={value}" for key, value in settings.items()), *options.set], Path(folder) / "run")
        rounds = Rounds(run)
        rounds.execute()
        return run.task.layout.size, rounds.cpu[_WARM:-1]


def growth(what: str, sizes: Sequence[int], times: Sequence[float]) -> list[Ratio]:
    """Compare the time per unit of size with that of the first size, and each added unit's with that of the first."""
    first, per = times[0] / sizes[0], f"time per {what} with {sizes[0]:,}"
    shared = [
        Ratio(f"time per {what}, {size:,} {what}s", spent / size / first, per, _GOAL)
        for size, spent in zip(sizes[1:], times[1:], strict=True)
    ]
    slopes = [
        (times[i + 1] - times[i]) / (sizes[i + 1] - sizes[i]) for i in range(len(sizes) - 1) if times[i + 1] > times[i]
    ]
    if len(slopes) < len(sizes) - 1:  # noise beats growth: there is nothing to compare
        return shared
    between = f"time per {what} added between {sizes[0]:,} and {sizes[1]:,}" if slopes else ""
    added = [
        Ratio(f"time per added {what}, {low:,} to {high:,}", slope / slopes[0], between)
        for low, high, slope in zip(sizes[1:], sizes[2:], slopes[1:], strict=False)
    ]
    return shared + added


def measure(options: argparse.Namespace) -> tuple[list[Ratio], dict[str, float]]:
    """Time all sizes, `options.repeats` times over."""
    cases = [(workers, _SMALL // _PER_UNIT) for workers in options.workers]
    cases += [(_FEW, max(1, round(size / _PER_UNIT))) for size in options.coordinates]
    found: list[list[float]] = [[] for _ in cases]
    sizes = [0] * len(cases)
    for _ in range(options.repeats):
        for number, (workers, hidden) in enumerate(cases):
            sizes[number], spent = seconds(workers, hidden, options)
            found[number] += spent
    times, many = [statistics.median(spent) for spent in found], len(options.workers)
    ratios = growth("worker", options.workers, times[:many]) + growth("coordinate", sizes[many:], times[many:])
    named = [f"{workers} x {size:,}" for (workers, _), size in zip(cases, sizes, strict=True)]
    return ratios, dict(zip(named, times, strict=True))


def _sizes(text: str) -> list[int]:
    found = [int(float(word)) for word in text.split(",")]
    if min(found) < 1 or found != sorted(set(found)):
        raise argparse.ArgumentTypeError(f"expected increasing sizes, at least 1, got {text}")
    return found


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=_sizes, default=[32, 128, 512, 2048, 4096])
    parser.add_argument("--coordinates", type=_sizes, default=[100_000, 316_000, 1_000_000, 3_160_000, 10_000_000])
    parser.add_argument("--algorithm", default="topk")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], help="any other override")
    parser.add_argument("--json", type=Path, help="write the ratios to this file")
    options = parser.parse_args()
    begun = time.perf_counter()
    ratios, times = measure(options)
    for size, spent in times.items():
        print(f"{size:24}{spent * 1e3:10.1f} ms a round")
    print(told(ratios))
    if options.json:
        details = {"cpu_seconds_per_round": times}
        write(Part("linear", "python benchmarks/linear.py", ratios, time.perf_counter() - begun, details), options.json)


if __name__ == "__main__":
    main()
