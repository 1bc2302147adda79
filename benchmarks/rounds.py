"""Time whole rounds of many algorithms against one plain forward and backward pass, each as `round.py` does.

    python benchmarks/rounds.py                         # the listed cases
    python benchmarks/rounds.py --case "lenet5, topk" --case "mlp, topk"
    python benchmarks/rounds.py --all                   # every synchronous algorithm of conf/algorithm, on a small MLP

One thread unless asked for more. The ratio is of medians of processor time, with the reference between any two rounds;
where a round takes several local steps, or not all workers take part, the yardstick is so many passes. Images are those
of the package, made up or embedded: nothing is downloaded.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import round as one
from benchmarks.results import Part, Ratio, told, write
from benchmarks.stages import built

PASS = "plain pass"
CONF = Path(__file__).resolve().parent.parent / "conf" / "algorithm"


@dataclass(frozen=True)
class Case:
    """A run to time."""

    model: str
    algorithm: str
    settings: tuple[str, ...] = ()
    task: str = "fashion_mnist_mini"
    workers: int = 32
    batch: int = 32
    goal: float | None = None


CASES: Mapping[str, Case] = {
    "lenet5, topk": Case("lenet5", "topk", goal=1.2),
    "lenet5, qsgd": Case("lenet5", "qsgd", goal=1.35),
    "lenet5, sbc": Case("lenet5", "sbc", ("algorithm.steps=1",), goal=1.35),
    "lenet5, majority_vote": Case("lenet5", "majority_vote", ("algorithm.local_steps=1",), goal=1.35),
    "lenet5, sketched_sgd": Case(
        "lenet5",
        "sketched_sgd",
        ("algorithm.rows=5", "algorithm.columns_per_kept=2", "algorithm.density=0.01"),
        goal=1.35,
    ),
    "resnet20, topk": Case("resnet20", "topk", task="cifar10_mini", workers=8, goal=1.2),
    "mlp, topk": Case("mlp", "topk", workers=128, goal=3.0),
}


def synchronous() -> dict[str, Case]:
    """Find every algorithm that runs as one cohort, and make it a case of 8 workers x 8 samples."""
    small = {path.stem: Case("mlp", path.stem, workers=8, batch=8) for path in sorted(CONF.glob("*.yaml"))}
    return {f"mlp, {name}": case for name, case in small.items() if not _messaging(name)}


def _messaging(algorithm: str) -> bool:
    run = built([f"algorithm={algorithm}", "model=softmax", "workers=2", "rounds=1", "device=cpu"], Path("unused"))
    return bool(run.messaging)


def measure(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    """Time one case."""
    asked = vars(options) | vars(case) | {"set": [*case.settings, *options.set], "chunk": 8}
    return one.measure(argparse.Namespace(**asked))


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=CASES, help="which, all by default")
    parser.add_argument("--all", action="store_true", help="every synchronous algorithm instead, on a small case")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1, help="Python threads over chunks")
    parser.add_argument("--set", action="append", default=[], help="any other override, for all cases")
    parser.add_argument("--json", type=Path, help="write the ratios to this file")
    options = parser.parse_args()
    cases = synchronous() if options.all else {name: CASES[name] for name in options.case or CASES}
    begun, ratios, details = time.perf_counter(), [], {}
    for name, case in cases.items():
        found = measure(case, options)
        label = f"{name}, {case.workers} x {case.batch}"
        ratios.append(Ratio(label, found["round_over_its_gradients_cpu"], PASS, case.goal))
        details[label] = found
        print(
            f"{told(ratios[-1:])}   ({found['passes']:g} passes a round; wall clock {found['round_over_gradient']:.2f})"
        )
    if options.json:
        name, flag = ("rounds_all", " --all") if options.all else ("rounds", "")
        part = Part(name, f"python benchmarks/rounds.py{flag}", ratios, time.perf_counter() - begun, details)
        write(part, options.json)


if __name__ == "__main__":
    main()
