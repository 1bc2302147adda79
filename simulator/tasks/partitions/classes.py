"""Label skew by count: every worker sees samples of a few classes only."""

from __future__ import annotations

import torch
from torch import Tensor

from algorithms.streams import Stream
from simulator.tasks.partitions.shards import Shards, permutation, require_samples
from simulator.tasks.validation import whole


class ClassesPerWorker:
    """Give each worker `classes` different classes, and share each class's samples equally among its owners.

    Parameters
    ----------
    classes : int
        Classes per worker, from 1 (most heterogeneous) to the number of classes.
    name : str
        What records call it.

    Raises
    ------
    ValueError
        If `classes` is below 1; when dealing out, if it exceeds the number of classes, if there are too few workers
        for every class to have an owner, or too few samples for every owner to get one.

    Notes
    -----
    Workers choose in the order of their numbers, always the classes with the fewest owners so far (ties by a seeded
    draw), so the numbers of owners of two classes differ by at most one.

    References
    ----------
    Li, Diao, Chen, He, "Federated learning on non-IID data silos: an experimental study", ICDE 2022, section 3.2
    (quantity-based label imbalance, #C = k), after McMahan et al., AISTATS 2017; there owners are drawn without
    balance.
    """

    batches = "shuffle"

    def __init__(self, *, classes: int = 2, name: str = "classes") -> None:
        self.classes = whole("partition.classes", classes, 1)
        self.name = name

    def __call__(self, targets: Tensor, workers: int, stream: Stream) -> Shards:
        """Deal out."""
        require_samples(workers, len(targets))
        labels = int(targets.max()) + 1
        if self.classes > labels:
            raise ValueError(f"partition.classes: expected 1..{labels}, the classes of this task, got {self.classes}")
        if self.classes * workers < labels:
            raise ValueError(
                f"partition.classes: expected at least {-(-labels // workers)}, so that each of {labels} classes "
                f"has an owner among {workers} workers, got {self.classes}"
            )
        owned = self._choose(labels, workers, stream.at("owners"))
        order = permutation(stream.at("order"), len(targets))
        owner = torch.empty(len(targets), dtype=torch.int64)
        for label in range(labels):
            members, owners = order[targets[order] == label], owned[:, label].nonzero().flatten()
            if len(members) < len(owners):
                raise ValueError(
                    f"workers: expected at most {len(members)} owners of class {label}, which has as many samples, got "
                    f"{len(owners)} ({workers} workers with partition.classes={self.classes})"
                )
            owner[members] = owners[torch.arange(len(members)) % len(owners)]
        return Shards.of_owners(owner, workers, order)

    def _choose(self, labels: int, workers: int, stream: Stream) -> Tensor:
        taste = stream.uniform(torch.arange(workers), labels, torch.float64)
        owned = torch.zeros(workers, labels, dtype=torch.bool)
        count = torch.zeros(labels, dtype=torch.float64)
        for worker in range(workers):
            choice = torch.argsort(count + taste[worker], stable=True)[: self.classes]
            owned[worker, choice] = True
            count[choice] += 1
        return owned
