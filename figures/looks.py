"""How each algorithm looks: one colour, dash and marker through all figures of a paper, whatever else they show.

The look goes with the algorithm's name, never with the order in which runs are found. Related methods share a hue; each
has a pair of dash and marker of its own, so that lines are told apart in black and white too. Variants of one algorithm
(top-k at two densities) keep its hue and take further pairs in the order of their labels. A name that the table does
not list, from another package, gets its hue and pair from a checksum of the name.

Colours are Okabe and Ito's ("Color universal design", 2008) without the yellow, which vanishes on white.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (7, 1, 1, 1, 1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "X", "P", "<", "*", ">", "p")
PAIRS = len(DASHES) * len(MARKERS)  # no common factor: every number below this is a pair of its own
BLACK, BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE = COLOURS
# The place in the table is the pair. Append only: a place that moves changes figures that are printed.
HUES = {
    "sgd": BLACK,
    "topk": BLUE,
    "qsgd": VERMILION,
    "signsgd_vote": GREEN,
    "local_sgd": ORANGE,
    "randomk": SKY,
    "async_sgd": PURPLE,
    "ef_signsgd": GREEN,
    "fedavg": ORANGE,
    "ssp": PURPLE,
    "true_topk": BLUE,
    "sketched_sgd": SKY,
    "sbc": VERMILION,
    "majority_vote": GREEN,
    "sgd_allreduce": BLACK,
    "ddp_sgd": BLACK,
    "post_local_sgd": ORANGE,
    "gradient_dropping": BLUE,
    "semi_async": PURPLE,
    "fetch_sgd": SKY,
    "stc": VERMILION,
    "qsparse": PURPLE,
    "tcs": SKY,
    "gradient_dropping_sync": BLUE,
    "delayed_sgd": BLACK,
    "backup_sgd": BLACK,
    "sbc1": VERMILION,
    "sbc2": VERMILION,
    "sbc3": VERMILION,
    "qsparse_async": PURPLE,
}
PLACES = {name: place for place, name in enumerate(HUES)}


@dataclass(frozen=True)
class Look:
    """How a line is drawn; `number` is the place of its pair of dash and marker."""

    colour: str
    number: int

    @property
    def dash(self) -> Any:
        return DASHES[self.number % len(DASHES)]

    @property
    def marker(self) -> str:
        return MARKERS[self.number % len(MARKERS)]

    @property
    def fill(self) -> str:
        """The marker's inside: every other one is hollow."""
        return self.colour if self.number % 2 == 0 else "white"


def looks(shown: Iterable[tuple[str, str]]) -> dict[str, Look]:
    """Give each label its look.

    Parameters
    ----------
    shown : iterable of (str, str)
        Algorithm and label of what a figure shows, in any order; the answer does not depend on the order.

    Returns
    -------
    dict of str to Look
        By label. An algorithm of the table whose label comes first among its variants has its own place.
    """
    by_name: dict[str, list[str]] = {}
    for name, label in sorted(set(shown)):
        by_name.setdefault(name, []).append(label)
    found: dict[str, Look] = {}
    for name in sorted(by_name, key=lambda name: (name not in PLACES, name)):
        found[by_name[name][0]] = _own(name, {look.number for look in found.values()})
    for labels in by_name.values():
        first = found[labels[0]]
        for label in labels[1:]:
            taken = {look.number for look in found.values()} | {PLACES.get(other, -1) for other in by_name}
            found[label] = Look(first.colour, _free(first.number + 1, taken))
    return found


def _own(name: str, taken: set[int]) -> Look:
    if name in PLACES:
        return Look(HUES[name], PLACES[name])
    checksum = zlib.crc32(name.encode())
    return Look(COLOURS[checksum % len(COLOURS)], _free(checksum // len(COLOURS), taken))


def _free(number: int, taken: set[int]) -> int:
    """Give the first pair from `number` on that nobody has; where all are taken, some look alike."""
    for step in range(PAIRS):
        if (number + step) % PAIRS not in taken:
            return (number + step) % PAIRS
    return number % PAIRS
