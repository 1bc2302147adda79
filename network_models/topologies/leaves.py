"""Which workers hang on the same node by the same link, so that they can stand for one another."""

from __future__ import annotations

from typing import Any

import numpy as np

from network_models.fabric import Integers
from network_models.topologies.wires import Wires


def leaf_kinds(wires: Wires, only: list[int], workers: int) -> Integers:
    """Number the workers, with the same number for leaves of one node whose links have the same figures.

    Parameters
    ----------
    wires : Wires
    only : list of int
        The neighbour of each node that has only one, else -1.
    workers : int

    Returns
    -------
    ndarray of int, shape (workers,)
        A worker whose link is half-duplex or changes in time is like no other.
    """
    links: dict[int, list[tuple[bool, float, float, float]]] = {}
    carried = np.bincount(wires.resource, minlength=len(wires.bps))
    halves = set(wires.tail[carried[wires.resource] == 2].tolist())
    for wire, ends in enumerate(zip(wires.tail.tolist(), wires.head.tolist(), strict=True)):
        resource = int(wires.resource[wire])
        figures = float(wires.bps[resource]), float(wires.latency_s[wire]), float(wires.loss[wire])
        for node, other in (ends, ends[::-1]):
            if only[node] == other and resource not in wires.rates:
                links.setdefault(node, []).append((node == ends[0], *figures))
    known: dict[Any, int] = {}
    kinds = []
    for worker in range(workers):
        whole = len(links.get(worker, ())) == 2 and worker not in halves
        kind = (only[worker], *sorted(links[worker])) if whole else worker
        kinds.append(known.setdefault(kind, len(known)))
    return np.array(kinds, dtype=np.int64)
