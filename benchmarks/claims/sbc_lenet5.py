"""Sattler et al. 2018, Table 2, first row: SBC(1) and SBC(2) lose nothing on MNIST."""

from __future__ import annotations

from benchmarks.claims.outcome import Outcome, Row, equal, spread
from benchmarks.claims.runs import Finished, seeds

ITERATIONS = 2000
SETTINGS = (
    "task=mnist",
    "model=lenet5",
    "workers=4",
    "batch=32",
    "schedule=step",
    "schedule.milestones=[0.6,0.85]",
    "algorithm.lr=0.01",
    "algorithm.momentum=0.9",
    "compute=fixed",
)
# name: (local steps a round, the paper's accuracy, its compression rate)
VARIANTS = {"sgd": (1, 99.46, 1), "sbc1": (1, 99.4, 2071), "sbc2": (10, 99.4, 3166), "sbc3": (100, 99.1, 24935)}
REASONS = (
    "The authors' counter adds a bit for each position and one for each value to the printed formula. The wire's rates "
    "are lower still where the headers of eight small tensors weigh."
)


def run() -> Outcome:
    """Train each for as many iterations of each client, and compare final accuracies seed by seed."""
    runs = {name: _runs(name, steps) for name, (steps, *_) in VARIANTS.items()}
    dense = [100 * run.accuracy for run in runs["sgd"]]
    outcome = Outcome(
        "sbc_lenet5",
        "Sattler et al. 2018, the LeNet5-Caffe row of the main table (accuracies and rates remembered, not read)",
        "SBC(1) and SBC(2) reach the accuracy of dense SGD at 2,071 and 3,166 times fewer bits up.",
        f"MNIST, LeNet5-Caffe, 4 clients of 15,000 samples, {ITERATIONS} iterations each with batches of 32, momentum "
        "0.9, rate 0.01, cut to a tenth after 60 and 85 %; the paper used Adam. Three seeds.",
    )
    for name, (_, theirs, rate) in VARIANTS.items():
        ours = [100 * run.accuracy for run in runs[name]]
        verdict = "" if name == "sgd" else equal([mine - base for mine, base in zip(ours, dense, strict=True)])
        outcome.rows.append(Row(f"{name}: accuracy (%)", f"{theirs}", spread(ours), verdict))
        if name != "sgd":
            outcome.rows += _rates(runs[name][0], name, rate)
    outcome.reasons = REASONS
    return outcome


def _runs(name: str, steps: int) -> list[Finished]:
    rounds = ITERATIONS // steps
    every = max(rounds // 10, 1)
    return seeds("sbc_lenet5", name, [*SETTINGS, f"algorithm={name}", f"rounds={rounds}", f"eval_every={every}"])


def _rates(run: Finished, name: str, theirs: int) -> list[Row]:
    """Compare how many times fewer bits went up than 32 a coordinate and iteration, by three counts."""
    dense = 32.0 * run.summary["coordinates"] * 4 * ITERATIONS
    counts = {
        "the authors' counter": run.summary["repo_bits"],
        "the printed formula": run.summary["paper_bits"],
        "the wire": 8.0 * run.summary["uplink_wire_bytes"],
    }
    rows = []
    for count, bits in counts.items():
        ours = dense / bits
        rows.append(Row(f"{name}: compression, {count}", f"{theirs}×", f"{ours:.0f}×", f"{ours / theirs - 1:+.1%}"))
    return rows
