"""Time every step of compression against one copy of the updates, compiled and by its reference.

    python benchmarks/kernels.py                                   # 32 x 270,000, k of 1 % and 0.1 %
    python benchmarks/kernels.py --rows 8 --coordinates 11000000 --repeats 3
    python benchmarks/kernels.py --step selection --step qsgd --density 0.001

One thread, CPU time, every variant once a repetition, medians. The yardstick copies the (w, d) float32 matrix into
memory that is there already; where only one vector is worked on it is a w-th of that. Steps are called as algorithms
call them: in chunks of workers, messages and the counting of their bytes included. Where nothing is compiled both
columns time the same code, and differ by noise alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import torch

from algorithms.kernels import fallbacks, use
from benchmarks.compression import COPY, COPY_OF_ONE, STEPS, Case
from benchmarks.results import Part, Ratio, write
from benchmarks.timing import interleaved
from simulator.threads import keep_memory, one_thread

MODES = {"": "auto", ", reference": "reference"}
GOALS = {
    "selection": 4.0,
    "error feedback + top-k": 4.0,
    "qsgd": 4.0,
    "sign + majority": 1.5,
    "sketch insert": 4.0,
    "sparse mean": 0.1,
    "rice sizes": 0.3,
}
DENSE = ("qsgd", "sign", "sign + majority", "majority", "scaled sign", "elias sizes", "uniform")


def measure(options: argparse.Namespace, density: float, steps: list[str]) -> list[Ratio]:
    """Time the steps at one density."""
    case = Case.made_up(options.rows, options.coordinates, density, options.chunk)
    target = torch.zeros_like(case.rows)
    todo: dict[str, Callable[[], object]] = {COPY: lambda: target.copy_(case.rows)}
    yardsticks: dict[str, str] = {}
    for name in steps:
        for suffix, mode in MODES.items():
            use(mode)
            step = STEPS[name](case)  # one for each mode, as some keep a residual
            todo[name + suffix], yardsticks[name + suffix] = _under(mode, step.run), step.yardstick
    seconds = interleaved(todo, options.repeats)
    use("auto")
    # a share of the whole: one row copied again and again would stay in the cache
    seconds[COPY_OF_ONE] = seconds[COPY] / options.rows
    shape = f"{options.rows} x {options.coordinates:,}"
    return [
        Ratio(_named(name, shape, density), seconds[name] / seconds[yardstick], yardstick, GOALS.get(name))
        for name, yardstick in yardsticks.items()
    ]


def _under(mode: str, run: Callable[[], object]) -> Callable[[], object]:
    def chosen() -> object:
        use(mode)
        return run()

    return chosen


def _named(name: str, shape: str, density: float) -> str:
    kept = "" if name.split(",")[0] in DENSE else f", {density:.2%}"
    return f"{name}, {shape}{kept}"


def show(ratios: list[Ratio]) -> None:
    """Print compiled and reference side by side."""
    values = {ratio.what: ratio for ratio in ratios}
    print(f"{'':48}{'here':>9}{'reference':>11}   times one")
    for what, ratio in values.items():
        if ", reference" not in what:
            step, rest = what.split(", ", 1)
            other = values[f"{step}, reference, {rest}"]
            print(f"{what:48}{ratio.value:9.2f}{other.value:11.2f}   {ratio.yardstick}")


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=32, help="workers, w")
    parser.add_argument("--coordinates", type=int, default=270_000, help="d")
    parser.add_argument("--density", type=float, action="append", help="k / d, several if repeated")
    parser.add_argument("--step", action="append", choices=STEPS, help="which, all by default")
    parser.add_argument("--chunk", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--name", default="kernels", help="of the part in --json")
    parser.add_argument("--json", type=Path, help="write the ratios to this file")
    options = parser.parse_args()
    one_thread()
    keep_memory()
    begun, ratios = time.perf_counter(), []
    wanted = list(options.step or STEPS)
    for number, density in enumerate(options.density or [0.01, 0.001]):
        steps = wanted if number == 0 else [name for name in wanted if name not in DENSE]
        ratios += measure(options, density, steps)
    show(ratios)
    print("\n".join(fallbacks()))
    if options.json:
        command = f"python benchmarks/kernels.py --rows {options.rows} --coordinates {options.coordinates}"
        details = {"fallbacks": fallbacks(), "repeats": options.repeats}
        write(Part(options.name, command, ratios, time.perf_counter() - begun, details), options.json)


if __name__ == "__main__":
    main()
