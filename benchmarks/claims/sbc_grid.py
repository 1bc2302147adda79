"""Sattler et al. 2018, the grid of gradient sparsity p by communication delay n: the error follows p / n."""

from __future__ import annotations

import io

import matplotlib

from benchmarks.claims.grid import Cell, Grid, heat_map
from benchmarks.claims.outcome import DOCS, Outcome, Row, equal, spread
from benchmarks.claims.runs import SEEDS, Diverged, simulate
from figures.saving import save
from figures.venues import DEFAULT

ITERATIONS = 1000
SETTINGS = (
    "task=cifar10",
    "model=cnn",
    "workers=4",
    "batch=32",
    "chunk=2",  # two equal chunks, for two cores
    "schedule=step",
    "schedule.milestones=[0.6,0.8]",
    "algorithm.lr=0.05",
    "algorithm.momentum=0.9",
    "compute=fixed",
)
DENSITIES, DELAYS = (1.0, 0.1, 0.01, 0.001), (1, 10, 100)
GUESSING = 90.0  # the error of who knows nothing, which is what a run counts as whose loss was no longer a number
FIGURE = "sbc_grid.svg"
REASONS = (
    "The error falls with p / n, but is not constant along its diagonals: they spread by up to half of what lies "
    "between them (20.5 of 42.0 points; 13.5 if the seed is left out that ended at guessing, with p = 0.001 and n = "
    "1). The share of variance flatters, as six classes of twelve cells explain 45 % by chance. With n = 100 the "
    "error is higher than with n = 1 at p / n = 0.01 (by 7.6 points) and than with n = 10 at 0.0001 (by 9.1), most "
    "likely because the runs are short: 1,000 iterations are 10 rounds, 6 of them before the rate is cut, where the "
    "paper's go on for longer. Between n = 1 and n = 10 it is the longer delay that is better, by 2.7, 5.9 and 20.5 "
    "points at p / n = 0.1, 0.01 and 0.001. At p = 0.001 the rate that is best for dense SGD is too high for what "
    "waits 1,000 iterations: at 0.02 the first seed ends at 53.5 instead of 60.6 %. At p = 0.1 it is not the rate "
    "(51.1 at 0.02 instead of 45.1 %, one seed), and masking only helps (51.2 without); likely masking at n = 1 "
    "sets a coordinate's momentum back every ten iterations, and so slows it down."
)


def run() -> Outcome:
    """Train every cell for as many iterations of each client, and compare along the diagonals and across."""
    lost: list[str] = []
    grid = Grid({(p, n): [_error((p, n), seed, lost) for seed in SEEDS] for p in DENSITIES for n in DELAYS})
    outcome = Outcome(
        "sbc_grid",
        "Sattler et al. 2018, the figure of errors by p and n (remembered; ResNet32 there)",
        "The final error is nearly constant where p / n is, down to p / n of about 0.001 to 0.0001.",
        f"CIFAR-10, a CNN of three convolutions (d = 33,834), 4 clients with batches of 32, {ITERATIONS} iterations "
        "each in every cell (2.6 epochs), momentum 0.9. Rate 0.05, the best of 0.01, 0.02, 0.05, 0.1 for dense SGD "
        "(1,500 iterations, one seed), a tenth after 60 and 80 %. p = 1 is local SGD. Three seeds; error in %.",
    )
    for total, cells in grid.diagonals.items():
        ours = ", ".join(f"{p:g}/{n}: {spread(grid.errors[p, n], '.1f')}" for p, n in cells)
        verdict = f"ends {equal(grid.ends(total))}" if len(cells) > 1 else ""
        outcome.rows.append(Row(f"p / n = {total:g}, error (%)", "one error", ours, verdict))
    shared = [total for total, cells in grid.diagonals.items() if len(cells) > 1]
    along = {total: grid.along(total) for total in shared}
    widest = max(along, key=lambda total: along[total])
    across = grid.across()
    outcome.rows += [
        Row("widest spread along a diagonal (points)", "small", f"{along[widest]:.1f}", f"at p / n = {widest:g}"),
        Row("spread across diagonals (points)", "large", f"{across:.1f}", f"{across / along[widest]:.1f}× that along"),
        Row("variance that p / n explains", "nearly all", f"{grid.explained():.0%}", ""),
        Row("runs that diverged", "–", f"{len(lost)} of {len(SEEDS) * len(grid.errors)}", ", ".join(lost)),
    ]
    with matplotlib.rc_context(DEFAULT.style | {"svg.hashsalt": "bitclock", "svg.fonttype": "path"}):
        picture = io.BytesIO()
        heat_map(grid).savefig(picture, format="svg", bbox_inches="tight", metadata={"Date": None})
    save({FIGURE: picture.getvalue()}, DOCS)
    outcome.figure, outcome.reasons = FIGURE, REASONS
    return outcome


def _error(cell: Cell, seed: int, lost: list[str]) -> float:
    p, n = cell
    rounds = ITERATIONS // n
    algorithm = ["algorithm=local_sgd"] if p == 1 else ["algorithm=sbc", f"algorithm.density={p}"]
    told = [*SETTINGS, *algorithm, f"algorithm.steps={n}", f"rounds={rounds}", f"eval_every={rounds // 5}"]
    name = f"p{p:g}-n{n}-s{seed}"
    print(f"sbc_grid: {name}", flush=True)
    try:
        return 100 - 100 * simulate("sbc_grid", name, [*told, f"seed={seed}"]).accuracy
    except Diverged:
        lost.append(name)
        return GUESSING
