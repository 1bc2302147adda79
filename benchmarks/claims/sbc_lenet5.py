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
    "The rate was not chosen on dense SGD alone. At 0.05 with momentum 0.9 dense SGD ends at 99.22 ± 0.02 %, 0.20 "
    "points above the row here, but SBC(1) diverges (an infinite loss at step 105 with the first seed, and before "
    "step 110 with all three); hence 0.01 for all. Against that better dense SGD, SBC(1), (2) and (3) would be "
    "0.34, 0.37 and 0.88 points behind. All, dense SGD too, stay 0.4 to 0.8 points under the paper's figures, most "
    "likely for the optimiser: Adam there. The authors' counter adds a bit for each position and one for each value "
    "to the printed formula. By it SBC(2) fits to the digit, while SBC(1) and SBC(3) are 14 and 27 % above the "
    "figures remembered for this network, but within 0.4 % of those for the paper's language model (2,371 and "
    "31,658), so that these two entries were counted in another way or are remembered wrongly. The wire's rates are "
    "lower than the formula's where the headers of eight small tensors weigh: by 21 % for SBC(1), by 4 and 5 % for "
    "SBC(2) and (3)."
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
