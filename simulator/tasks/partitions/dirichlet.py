"""Label skew by Dirichlet-distributed shares, the usual dial of heterogeneity in federated learning.

For each class c, shares p_c ~ Dir(alpha, ..., alpha) over the n workers are drawn and the class's shuffled samples are
cut at the cumulated shares. Small alpha: few workers hold most of a class; large alpha: every worker holds the same
mix.
"""

from __future__ import annotations

import heapq

import torch
from torch import Tensor

from algorithms.streams import Stream
from simulator.tasks.partitions.shards import Shards, permutation, require_samples
from simulator.tasks.validation import real

# Marsaglia and Tsang accept more than 95 % of their candidates: 16 in a row fail with probability below 1e-20
_CANDIDATES = 16


class Dirichlet:
    """Deal out each class by its own Dirichlet shares.

    Parameters
    ----------
    alpha : float
        Concentration, above 0. Smaller is more heterogeneous.
    name : str
        What records call it.

    Raises
    ------
    ValueError
        If `alpha` is not above 0.

    Notes
    -----
    Differs from the paper in this: every worker gets at least one sample. A worker left without takes, in the order of
    worker numbers, the last sample of the shard that is largest at that moment (of equals, the lowest worker's).

    References
    ----------
    Li, Diao, Chen, He, "Federated learning on non-IID data silos: an experimental study", ICDE 2022, section 3.2
    (distribution-based label imbalance); Hsu, Qi, Brown, 2019 draw the same shares per worker rather than per class.
    """

    batches = "shuffle"

    def __init__(self, *, alpha: float = 0.5, name: str = "dirichlet") -> None:
        self.alpha = real("partition.alpha", alpha, 0.0, open_below=True)
        self.name = name

    def __call__(self, targets: Tensor, workers: int, stream: Stream) -> Shards:
        """Deal out; raises ValueError if there are more workers than samples."""
        require_samples(workers, len(targets))
        order = permutation(stream.at("order"), len(targets))
        owner = torch.empty(len(targets), dtype=torch.int64)
        for label in range(int(targets.max()) + 1):
            members = order[targets[order] == label]
            shares = symmetric_dirichlet(stream.at("shares", label), workers, self.alpha)
            # sample j of m sits at (j + 1/2) / m of the unit interval that the shares divide
            middles = (torch.arange(len(members), dtype=torch.float64) + 0.5) / max(1, len(members))
            owner[members] = torch.searchsorted(torch.cumsum(shares, 0), middles, right=True).clamp_(max=workers - 1)
        _feed_the_empty(owner, order, workers)
        return Shards.of_owners(owner, workers, order)


def symmetric_dirichlet(stream: Stream, size: int, alpha: float) -> Tensor:
    """Draw one point of the symmetric Dirichlet distribution.

    Parameters
    ----------
    stream : Stream
        Only its draws are used: coordinate r takes row r.
    size : int
        Number of coordinates.
    alpha : float
        Concentration; as small as wanted, since everything is computed in logarithms.

    Returns
    -------
    Tensor, shape (size,), float64
        Sums to 1.

    References
    ----------
    Marsaglia, Tsang, "A simple method for generating gamma variables", ACM TOMS 2000; for shapes below 1 with their
    Gamma(a) = Gamma(a + 1) * U**(1/a).
    """
    rows = torch.arange(size)
    shift = alpha + 1.0 - 1.0 / 3.0
    normal = stream.at("normal").normal(rows, _CANDIDATES, torch.float64)
    accept = 1.0 - stream.at("accept").uniform(rows, _CANDIDATES, torch.float64)
    cube = (1.0 + normal / (9.0 * shift) ** 0.5).clamp_(min=0.0) ** 3
    good = (cube > 0) & (accept.log() < 0.5 * normal**2 + shift * (1.0 - cube + cube.log()))
    first = good.to(torch.int8).argmax(1, keepdim=True)
    boost = (1.0 - stream.at("boost").uniform(rows, 1, torch.float64)).log() / alpha
    return torch.softmax((cube.gather(1, first).log() + boost).flatten(), 0)


def _feed_the_empty(owner: Tensor, order: Tensor, workers: int) -> None:
    length = torch.bincount(owner, minlength=workers).tolist()
    empty = [worker for worker, size in enumerate(length) if size == 0]
    if not empty:
        return
    ranked = order[torch.argsort(owner[order], stable=True)].tolist()
    end = torch.cumsum(torch.tensor(length), 0).tolist()
    largest = [(-size, worker) for worker, size in enumerate(length) if size > 1]
    heapq.heapify(largest)
    for worker in empty:
        size, giver = largest[0]
        end[giver] -= 1
        owner[ranked[end[giver]]] = worker
        heapq.heapreplace(largest, (size + 1, giver))
