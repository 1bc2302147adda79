"""This simulator: whole rounds of fedavg or sgd, clock, counters and trace included, on 28 x 28 images.

With one local step both average the same: fedavg the clients' models, sgd their gradients.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from benchmarks.peers.work import WARM
from benchmarks.stages import Rounds, built


def main() -> None:
    """Train and report, with the command line of the peers behind the algorithm's name."""
    algorithm, model, *numbers = sys.argv[1:]
    rounds, clients, batch = map(int, numbers)
    total = rounds + WARM + 1  # the last evaluates and is not counted
    settings = {
        "task": "fashion_mnist_mini",
        "model": model,
        "algorithm": algorithm,
        "participation": 1.0,
        "network": "lan_1g",
        "workers": clients,
        "batch": batch,
        "rounds": total,
        "eval_every": total,
        "checkpoint_every": total,
        "threads": 1,
        "device": "cpu",
    }
    if algorithm == "fedavg":
        settings["algorithm.steps"] = 1
    with tempfile.TemporaryDirectory() as folder:
        run = built([f"{key}={value}" for key, value in settings.items()], Path(folder) / "run")
        timed = Rounds(run)
        timed.execute()
        size = run.task.layout.size
    print(json.dumps({"cpu_s": timed.cpu[WARM:-1], "wall_s": timed.seconds[WARM:-1], "coordinates": size}))


if __name__ == "__main__":
    main()
