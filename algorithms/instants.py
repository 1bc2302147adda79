"""When workers with sync sets of their own exchange: the steps that are in some set, and for each who is due."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from algorithms.cohort import Cohort
from algorithms.sync_sets import SyncSet


def instants(cohort: Cohort, sync_set: SyncSet) -> Iterator[list[int]]:
    """Give the workers whose exchange falls on the same step, in increasing order, one step of the sets' union each."""
    due: list[tuple[int, int, int]] = []  # step, worker, count
    for worker in range(cohort.n):
        if (gap := sync_set.gap(cohort, worker, 0)) is not None:
            due.append((gap, worker, 0))
    heapify(due)
    while due:
        step, senders = due[0][0], []
        while due and due[0][0] == step:
            _, worker, count = heappop(due)
            senders.append(worker)
            if (gap := sync_set.gap(cohort, worker, count + 1)) is not None:
                heappush(due, (step + gap, worker, count + 1))
        yield senders
