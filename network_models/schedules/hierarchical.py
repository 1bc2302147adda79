"""All-reduce in two levels: first among ranks that are near one another, then across, then back.

Each group of g ranks reduce-scatters round its own ring; ranks with the same place in their groups then all-reduce
their 1/g round a ring of k groups; an all-gather round each group's ring spreads the result. Where groups differ in
size, the smallest sets g and a larger group's other ranks first fold into its first ones, which hand them the result
at the end.

References
----------
Mikami et al., "Massively distributed SGD: ImageNet/ResNet-50 training in a flash", 2018 (2-D torus all-reduce).
"""

from __future__ import annotations

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.schedules.call import Call
from network_models.schedules.step import Program, Step, one_way


def all_reduce_hierarchical(call: Call) -> Program:
    """Reduce within racks, between racks, and spread within racks.

    Alike, w = g k: 2 (g-1) (a + 8 m / (g B)) + 2 (k-1) (a + 8 m / (w B)).

    Raises
    ------
    ValueError
        If nobody said which ranks are near one another.
    """
    if not call.groups:
        raise ValueError(
            "network.group_size: expected the ranks of a group, because this network has no racks to take them from, "
            "got null"
        )
    return in_groups(call, call.groups)


def all_reduce_torus_2d(call: Call) -> Program:
    """The same with the ranks laid out in the squarest full rectangle: rows are groups (w prime: one plain ring)."""
    return in_groups(call, tuple(np.arange(call.ranks).reshape(squarest(call.ranks), -1)))


def squarest(ranks: int) -> int:
    """Rows of the full rectangle of `ranks` that is nearest to a square, no more than its columns."""
    return max(rows for rows in range(1, int(ranks**0.5) + 1) if ranks % rows == 0)


def in_groups(call: Call, groups: tuple[Integers, ...]) -> Program:
    """Plan the steps for groups that together hold every rank once."""
    ranks, members = call.ranks, min(len(group) for group in groups)
    square = np.array([group[:members] for group in groups])  # (k, g)
    rows, columns = _Rings(square, ranks), _Rings(square.T, ranks)
    held, counts = call.sizes_bytes.astype(np.float64), np.ones(ranks, dtype=np.int64)
    fold = _folds(groups, members)
    steps: list[Step] = []
    for extra, into in fold:
        steps.append(one_way(extra, into, held[extra], reducing=True))
        counts[into] += 1
        held[into] = call.holding(counts[into], held[into])
    steps += _around(call, rows, held, counts, 1.0 / members)
    for row, total in zip(square, counts[square].sum(axis=1), strict=True):
        counts[row] = total  # payloads merged in the group
    held = call.holding(counts, held)
    share = 1.0 / (members * len(groups))
    steps += _around(call, columns, held, counts, share)
    if len(groups) > 1:
        steps.append(columns.step(call.result * share, False, len(groups) - 1))
    if members > 1:
        steps.append(rows.step(call.result / members, False, members - 1))
    for extra, into in reversed(fold):
        steps.append(one_way(into, extra, call.result))
    return Program(ranks, steps)


class _Rings:
    """Several rings at once: the rows of an array of ranks."""

    def __init__(self, ranks: Integers, everybody: int) -> None:
        self.ranks, self.length = ranks, ranks.shape[1]
        self.source, self.destination = ranks.ravel(), np.roll(ranks, -1, axis=1).ravel()
        self.symmetric = self.source.size == everybody

    def step(self, size: Floats | float, reducing: bool, times: int) -> Step:
        return Step(
            self.source,
            self.destination,
            size,
            reducing,
            rendezvous=True,
            times=times,
            symmetric=self.symmetric,
        )


def _folds(groups: tuple[Integers, ...], members: int) -> list[tuple[Integers, Integers]]:
    """Rounds in which ranks beyond the first `members` of their group send to one of these: no rank twice a round."""
    rounds: list[list[tuple[int, int]]] = []
    for group in groups:
        for place in range(members, len(group)):
            turn = place // members - 1
            rounds += [[] for _ in range(turn + 1 - len(rounds))]
            rounds[turn].append((int(group[place]), int(group[place % members])))
    return [(np.array(pairs)[:, 0], np.array(pairs)[:, 1]) for pairs in rounds]


def _around(call: Call, rings: _Rings, held: Floats, counts: Integers, share: float) -> list[Step]:
    """Reduce-scatter round several rings at once; each rank begins with `held` bytes that `counts` payloads made.

    In step s a rank sends a segment into which its own and its s predecessors' payloads are merged.
    """
    steps: list[Step] = []
    merged = counts[rings.ranks]
    for step in range(rings.length - 1):
        sizes = held[rings.source]
        if step:
            sizes = call.holding(merged.ravel(), sizes)
        level: Floats | float = float(sizes[0]) * share if (sizes == sizes[0]).all() else sizes * share
        before = steps[-1].size_bytes if steps else None
        if isinstance(level, float) and isinstance(before, float) and level == before:
            steps[-1] = rings.step(level, True, steps[-1].times + 1)
        else:
            steps.append(rings.step(level, True, 1))
        merged = counts[rings.ranks] + np.roll(merged, 1, axis=1)
    return steps
