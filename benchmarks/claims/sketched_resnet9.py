"""Ivkin et al. 2019: sketches lose nothing to true top-k, and what local top-k sends down grows with the workers."""

from __future__ import annotations

from benchmarks.claims.outcome import Outcome, Row, equal, spread
from benchmarks.claims.runs import Finished, seeds

WORKERS = (4, 16, 64)
BATCH, ROUNDS, UNION_ROUNDS, KEPT = 256, 300, 100, 791
SETTINGS = (
    "task=cifar10",
    "task.augmentation.cutout=8",
    "model=resnet9",
    "model.width=8",
    "schedule=linear",
    "schedule.warmup=0.2083",
    "algorithm.lr=0.05",
    "algorithm.momentum=0.9",
    "algorithm.weight_decay=5e-4",
    "compute=fixed",
)
CHOSEN = ("algorithm.density=null", f"algorithm.k={KEPT}")
VARIANTS = {
    "true_topk": ("algorithm=true_topk", *CHOSEN),
    "sketched_sgd": ("algorithm=sketched_sgd", *CHOSEN, "algorithm.columns_per_kept=2.09322"),
}
REASONS = (
    "Sketched-SGD stays about 10 points behind true top-k for every W: the claim of equal accuracy fails at this "
    "size, that of independence of W holds. The budget is the paper's 17 times fewer floats, at which it reports 92.5 "
    "% where 11 times give 94 %. The width of the sketch is what decides: with 4 and 16 times as many columns (8.4 k "
    "and 33.5 k) the first seed of W = 4 ends at 31.2 and 34.8 % where true top-k has 36.0 (dense SGD: 39.1). Four "
    "times as many candidates give 30.4 %, leaving momentum unmasked 26.7 %. Most likely a narrow network's gradient "
    "has fewer coordinates that stand out, and 300 rounds leave little time for feedback to make up for it (the "
    "paper's 24 epochs are 2,300). What local top-k sends down grows with W, but less than like W, because workers "
    "that draw from one distribution often choose the same coordinates."
)


def run() -> Outcome:
    """Compare final accuracies seed by seed, and count what comes down, for each number of workers."""
    outcome = Outcome(
        "sketched_resnet9",
        "Ivkin et al. 2019, Figure 4 (W up to 256; read off a digest of the paper)",
        "Sketched-SGD is as accurate as true top-k however many workers there are; what local top-k sends down grows "
        "like W until it is dense, while Sketched-SGD's stays k.",
        f"CIFAR-10, ResNet-9 of width 8 (d = 103,944, group normalisation), batch {BATCH} in all, {ROUNDS} rounds (1.5 "
        f"epochs; the paper: 24), momentum 0.9, L2 5e-4, k = {KEPT}, 5 x 1,656 sketches, P = 4. The rate rises to 0.05 "
        "and falls to 0; 0.05 is the best of 0.02, 0.05, 0.1, 0.2, 0.4 for dense SGD (one seed). Local top-k runs for "
        f"{UNION_ROUNDS} rounds. Three seeds.",
    )
    for workers in WORKERS:
        runs = {name: _runs(name, settings, workers) for name, settings in VARIANTS.items()}
        true, ours = ([100 * run.accuracy for run in runs[name]] for name in VARIANTS)
        verdict = equal([mine - base for mine, base in zip(ours, true, strict=True)])
        outcome.rows.append(Row(f"W = {workers}, true top-k: accuracy (%)", "–", spread(true), ""))
        outcome.rows.append(Row(f"W = {workers}, sketched: accuracy (%)", "as true top-k", spread(ours), verdict))
    for workers in WORKERS:
        union = [_down(run, workers) / KEPT for run in _unions(workers)]
        verdict = f"{sum(union) / len(union) / workers:.0%} of W"
        outcome.rows.append(
            Row(f"W = {workers}, local top-k: values down / k", f"about {workers}", spread(union), verdict)
        )
    outcome.reasons = REASONS
    return outcome


def _runs(name: str, settings: tuple[str, ...], workers: int) -> list[Finished]:
    told = [*SETTINGS, *settings, *_split(workers), f"rounds={ROUNDS}", f"eval_every={ROUNDS // 5}"]
    return seeds("sketched_resnet9", f"{name}-{workers}", told)


def _unions(workers: int) -> list[Finished]:
    told = [*SETTINGS, "algorithm=topk", *CHOSEN, *_split(workers), f"rounds={UNION_ROUNDS}"]
    return seeds("sketched_resnet9", f"topk-{workers}", [*told, f"eval_every={UNION_ROUNDS}"])


def _split(workers: int) -> tuple[str, ...]:
    return (f"workers={workers}", f"batch={BATCH // workers}", f"chunk={min(workers // 2, 8)}")


def _down(run: Finished, workers: int) -> float:
    """Give the values of 32 bits that came down to a worker in a round, on average over the rounds."""
    return float(run.metrics["downlink_wire_values_bits"][-1] / (32 * workers * run.metrics["round"][-1]))
