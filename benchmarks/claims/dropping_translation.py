"""Aji & Heafield 2017: a translator whose gradients are 99 % dropped ends at the BLEU of one whose are not."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.claims.outcome import Outcome, Row, equal, spread
from benchmarks.claims.runs import Finished, seeds
from simulator.tasks.sources import cache_folder

FOLDER, TRAIN, TEST = "multi30k", "train", "test_2016_flickr"
SOURCE, TARGET = "de", "en"
WORKERS, BATCH, VOCABULARY, ROUNDS = 4, 32, 2000, 1000  # a round is a push of each worker
SETTINGS = (
    "task=translation",
    f"task.vocabulary={VOCABULARY}",
    "task.length=28",
    "task.bleu_sentences=1000",
    "model=attention",
    "model.embedding=128",
    "model.hidden=128",
    f"workers={WORKERS}",
    f"batch={BATCH}",
    "chunk=1",  # nothing is computed twice where one gradient is wanted
    "algorithm=gradient_dropping",
    "algorithm.optimizer=adam",
    "algorithm.lr=0.002",
    "compute=fixed",
    "stragglers=lognormal",
)
DROPS = (0.0, 0.99)
REASONS = (
    "Nothing is lost, but three seeds cannot tell whether anything is won: the final test losses are the same (2.49 "
    "and 2.48 nats a subword on average), while the BLEU of the dense runs lies between 19.8 and 23.6. Halfway the "
    "dropped runs are behind (8.2 against 10.8 BLEU, loss 3.57 against 3.16). The translator is far from done after "
    "4.5 epochs, where the paper trained for days."
)


def run() -> Outcome:
    """Train with each drop rate for as many updates, and compare final BLEU seed by seed."""
    files = corpus()
    runs = {drop: _runs(drop, files) for drop in DROPS}
    dense = [_bleu(run) for run in runs[0.0]]
    outcome = Outcome(
        "dropping_translation",
        "Aji & Heafield 2017, translation (abstract; WMT16 Romanian to English, 119 M parameters)",
        "Dropping 99 % leaves BLEU as it is (0.3 lower, as others cite it).",
        "Multi30k, German to English (29,000 pairs, the 1,000 of test_2016_flickr decoded greedily), a GRU with "
        f"attention (128 units, {VOCABULARY:,} subwords, d = 909,648), {WORKERS} asynchronous workers with batches of "
        f"{BATCH}, {WORKERS * ROUNDS:,} updates of each shard (4.5 epochs). Pulls are dropped like pushes, with one "
        "threshold for all tensors. Adam at 0.002: the best for dense gradients of Adam at 0.001, 0.002, 0.004 and "
        "AdaGrad at 0.02, 0.05 (96 units, loss on the validation set after 1,600 updates, one seed). Three seeds.",
    )
    for drop, finished in runs.items():
        ours = [_bleu(run) for run in finished]
        verdict = "" if drop == 0 else equal([mine - base for mine, base in zip(ours, dense, strict=True)])
        outcome.rows.append(Row(f"R = {drop:g}: BLEU", "–" if drop == 0 else "as R = 0", spread(ours), verdict))
    outcome.reasons = REASONS
    return outcome


def corpus() -> dict[str, Path]:
    """Find the four text files where the tests do: ``$BITCLOCK_DATA/multi30k``, else in the user's cache.

    Returns
    -------
    dict of str to Path
        By the names of `ParallelFiles`.

    Raises
    ------
    FileNotFoundError
        If they are not all in one of these places.
    """
    given = os.environ.get("BITCLOCK_DATA")
    places = [*([Path(given).expanduser() / FOLDER] if given else []), cache_folder() / FOLDER]
    wanted = {
        f"{part}_{side}": f"{name}.{language}"
        for part, name in (("train", TRAIN), ("test", TEST))
        for side, language in (("source", SOURCE), ("target", TARGET))
    }
    for place in places:
        found = {key: _either(place / name) for key, name in wanted.items()}
        if all(found.values()):
            return {key: path for key, path in found.items() if path is not None}
    raise FileNotFoundError(
        f"expected {', '.join(wanted.values())} (raw or .gz) in {' or '.join(map(str, places))}, "
        "got no complete set there; get Multi30k and set BITCLOCK_DATA=<the folder that holds multi30k>"
    )


def _either(path: Path) -> Path | None:
    """Give a file, raw or gzipped."""
    return next((one for one in (path, path.with_name(path.name + ".gz")) if one.is_file()), None)


def _runs(drop: float, files: dict[str, Path]) -> list[Finished]:
    paths: Sequence[str] = [f"task.corpus.{key}={path}" for key, path in files.items()]
    told = [*SETTINGS, *paths, f"algorithm.drop={drop}", f"rounds={ROUNDS}", f"eval_every={ROUNDS // 2}"]
    return seeds("dropping_translation", f"R{drop:g}", told)


def _bleu(run: Finished) -> float:
    return float(run.metrics["bleu"][-1])
