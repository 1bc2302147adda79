"""Run claims again: ``python -m benchmarks.claims [NAME ...]``, all of them by default; then remake the page."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from benchmarks.claims import (
    dropping_timing,
    dropping_translation,
    majority_vote_cnn,
    qsparse_mnist,
    sbc_grid,
    sbc_lenet5,
    sketched_resnet9,
)
from benchmarks.claims.outcome import Outcome, load
from benchmarks.claims.page import PAGE, page
from benchmarks.claims.runs import spent
from benchmarks.machine import facts

CLAIMS: Mapping[str, Callable[[], Outcome]] = {
    "dropping_timing": dropping_timing.run,
    "dropping_translation": dropping_translation.run,
    "majority_vote_cnn": majority_vote_cnn.run,
    "qsparse_mnist": qsparse_mnist.run,
    "sbc_grid": sbc_grid.run,
    "sbc_lenet5": sbc_lenet5.run,
    "sketched_resnet9": sketched_resnet9.run,
}


def main(names: list[str]) -> int:
    """Run the named claims, each on its own feet; returns the exit code."""
    unknown = [name for name in names if name not in CLAIMS]
    if unknown:
        print(f"claims: expected some of {', '.join(CLAIMS)}, got {', '.join(unknown)}", file=sys.stderr)
        return 1
    failed = 0
    for name in names or CLAIMS:
        machine = facts()
        spent.clear()
        try:
            outcome = CLAIMS[name]()
        except (FileNotFoundError, RuntimeError) as error:  # no data, or a run that failed
            print(f"claims: {name}: {error}", file=sys.stderr)
            failed = 1
            continue
        outcome.seconds = sum(spent)
        outcome.machine = f"{machine['processor']}, {machine['cores']} cores, torch {machine['torch']}"
        outcome.save()
    PAGE.write_text(page(load()), encoding="utf-8")
    print(PAGE)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
