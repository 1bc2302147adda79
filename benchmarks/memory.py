"""Measure the most memory that a run holds, in a fresh process for each algorithm.

    python benchmarks/memory.py                            # 32 workers x 266,610 coordinates, several algorithms
    python benchmarks/memory.py topk --set state_dtype=bf16
    python benchmarks/memory.py topk --workers 1000 --widths 784,1020,200,10 --batch 2 --rounds 2 \\
        --set algorithm.density=0.001 --set state_dtype=bf16         # 1,000 x 1,006,910: takes 7 GB

The run is the real one, of an MLP on the embedded images, with evaluations. A unit is a matrix of one float32 for each
worker and coordinate, w d 4 bytes; the memory in units is what came after the run was built. Allowed are, in all, 2
units and what the algorithm keeps for each worker, and 500 MB for code, data and activations.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import peak_bytes
from benchmarks.stages import built
from simulator.threads import keep_memory

_SLACK_BYTES = 500_000_000
_UNITS = 2.0
_ALGORITHMS = ("sgd", "topk", "qsgd", "sbc", "majority_vote", "signsgd_vote", "sketched_sgd", "ef_signsgd")


def measure_here(options: argparse.Namespace, algorithm: str) -> dict[str, Any]:
    """Run in this process."""
    keep_memory()
    fixed = {
        "task": "fashion_mnist_mini",
        "model": "mlp",
        "model.widths": f"[{options.widths}]",
        "algorithm": algorithm,
        "workers": options.workers,
        "batch": options.batch,
        "rounds": options.rounds,
        "eval_every": max(1, options.rounds // 2),
        "checkpoint_every": options.rounds,
        "device": "cpu",
    }
    with tempfile.TemporaryDirectory() as folder:
        run = built([*(f"{key}={value}" for key, value in fixed.items()), *options.set], Path(folder) / "run")
        before, begun = peak_bytes(), time.perf_counter()
        summary = run.execute()
        seconds = time.perf_counter() - begun
    unit = 4 * options.workers * summary["coordinates"]
    width = 2 if run.config.state_dtype else 4
    own = width / 4 * summary["memory"]["worker"] / summary["coordinates"]
    return {
        "algorithm": algorithm,
        "workers": options.workers,
        "coordinates": summary["coordinates"],
        "peak_bytes": peak_bytes(),
        "before_bytes": before,
        "allowed_bytes": (_UNITS + own) * unit + _SLACK_BYTES,
        "units": (peak_bytes() - before) / unit,
        "own_units": own,
        "seconds_per_round": seconds / options.rounds,
        "fallbacks": summary["fallbacks"],
    }


def measure(algorithm: str) -> dict[str, Any]:
    """Run in a fresh process, with the arguments of this one."""
    command = [sys.executable, __file__, "--here", algorithm, *sys.argv[1:]]
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=paths)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("algorithms", nargs="*", default=_ALGORITHMS, help="synchronous ones of conf/algorithm")
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--widths", default="784,300,100,10", help="of the MLP: they decide d")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--set", action="append", default=[], help="any other override, such as state_on=file")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each algorithm")
    parser.add_argument("--here", help="measure this algorithm in this process and nothing else")
    options = parser.parse_args()
    if options.here:
        print(json.dumps(measure_here(options, options.here)))
        return
    for algorithm in options.algorithms:
        row = measure(algorithm)
        if options.json:
            print(json.dumps(row), flush=True)
            continue
        peak, before, allowed = (f"{row[key] / 1e6:,.0f} MB" for key in ("peak_bytes", "before_bytes", "allowed_bytes"))
        print(
            f"{algorithm:16s} {row['workers']} x {row['coordinates']:,}: peak {peak} (before the first round {before}, "
            f"allowed {allowed}), {row['units']:.2f} units, of them {row['own_units']:.2f} its own state; "
            f"{row['seconds_per_round']:.2f} s a round {'; '.join(row['fallbacks'])}",
            flush=True,
        )


if __name__ == "__main__":
    main()
