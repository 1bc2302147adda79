"""Time-correlated sparsification (TCS): the last aggregate says which coordinates matter now, so their indices need
not travel.

The mask of a round holds the largest magnitudes of the aggregate of the round before, which everybody knows. A worker
sends its values on the mask without indices, and its own largest outside the mask with their indices, by which the mask
can move. The mask starts as all ones: the first round is dense.

w rows here, n workers, d coordinates, k in the mask, m a worker's own, L local steps, P groups of the value quantiser.

References
----------
Ozfatura, Ozfatura, Gündüz, "Time-Correlated Sparsification for Communication-Efficient Federated Learning", ISIT 2021,
arXiv:2101.08837.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors import TopK
from algorithms.compressors.groups import Groups
from algorithms.compressors.selection import largest
from algorithms.gathered import Gathered
from algorithms.ops import AtServer, Broadcast, Gather, Work
from algorithms.payloads import Bits, Concat, Dense, Full, Payload, Sparse
from algorithms.state import Stateful
from algorithms.synchronous import Synchronous
from algorithms.voting.ballots import marks, top
from algorithms.voting.counts import Seats
from algorithms.voting.paper_bits import value_bits
from algorithms.voting.rounds import with_residual


def placed(payload: Payload, mask: Tensor, d: int) -> Payload:
    """Put values, on the mask and then outside, at their coordinates: rows of k + m of d."""
    if payload.size == d == len(mask):
        return payload
    values, places = payload.dense(), mask.expand(payload.rows, -1)
    if isinstance(payload, Concat):
        body, outside = payload.parts
        assert isinstance(outside, Sparse)
        values = body.dense()
        places = torch.cat([places, outside.indices.view(payload.rows, body.size - len(mask))], dim=1)
    places, order = places.sort(dim=1)
    return Sparse.rows_of(d, places, values.gather(1, order))


def aggregate(gathered: Gathered, mask: Tensor, d: int) -> tuple[Tensor, Tensor]:
    """Average at the server: the mean, shape (d,), and the coordinates outside the mask that some worker sent."""
    rows = gathered.payload
    outside = rows.parts[1] if isinstance(rows, Concat) else None
    seen = torch.zeros(d, dtype=torch.bool, device=mask.device)
    if isinstance(outside, Sparse):
        seen[outside.indices.long()] = True
    return placed(rows, mask, d).mean(gathered.weights, list(gathered.chunks)), seen.nonzero().view(-1)


class TimeCorrelated(Stateful):
    """Average values on a mask that the last mean implies, and each worker's own largest outside it.

    Parameters
    ----------
    seats : Seats
        How many coordinates are in the mask, and how many are a worker's own.
    quantiser : Groups or None
        What is applied to all the values of a worker together; None: they travel as they are.

    Notes
    -----
    Ties for a seat in the mask go to the lowest index. The mean comes down in full precision: its values on the mask,
    then those on the union of what workers sent outside it, with their indices.
    """

    conserves = "workers"
    samples = False
    state_names = ("mask",)

    def __init__(self, seats: Seats, quantiser: Groups | None) -> None:
        self.seats, self.quantiser = seats, quantiser
        self.mask: Tensor | None = None

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        d = update.shape[1]
        keep, own = self.seats.of(d)
        mask = self._mask(keep, update)
        await Work("encode", int(TopK(k=own).passes() * d * update.element_size()))
        sent = self._message(cohort, update, mask, own)
        gathered = await Gather(sent)
        size_bytes = int(gathered.payload.bytes.sum()) + d * update.element_size()
        outcome: tuple[Tensor, Tensor] = await AtServer(partial(aggregate, mask=mask, d=d), gathered, size_bytes)
        mean, union = outcome
        await Broadcast(_bundle(mean[torch.cat([mask, union])][None], union[None], d))
        self.mask = largest(mean[None], keep)[0]
        return mean.to(update.dtype), placed(sent, mask, d)

    def _mask(self, keep: int, update: Tensor) -> Tensor:
        """Give this round's mask: all ones at first."""
        if self.mask is None:
            return torch.arange(update.shape[1], device=update.device)
        if self.mask.shape != (keep,):
            raise ValueError(f"mask: expected k = {keep} coordinates, got shape {tuple(self.mask.shape)}")
        return self.mask

    def _message(self, cohort: Cohort, update: Tensor, mask: Tensor, own: int) -> Payload:
        """Write values on the mask, and a worker's own outside it with their positions."""
        w, d = update.shape
        rest = torch.ones(d, dtype=torch.bool, device=update.device)
        rest[mask] = False
        free = rest.nonzero().view(-1)
        chosen = free[top(cohort, update, own, free)] if len(free) else mask[:0].expand(w, 0)
        return _bundle(update.gather(1, torch.cat([mask.expand(w, -1), chosen], dim=1)), chosen, d, self.quantiser)


def _bundle(values: Tensor, outside: Tensor, d: int, quantiser: Groups | None = None) -> Payload:
    """Write values, shape (w, k + m), and the positions of the last m, shape (w, m); no positions where m is 0."""
    w, count = values.shape
    paper = Bits.of(w, values=count * value_bits(None if quantiser is None else quantiser.groups))
    body = Dense(values, paper=paper) if quantiser is None else Full(count, w, quantiser(values), paper)
    return Concat((body, marks(d, outside))) if outside.shape[1] else body


def tcs(
    *,
    name: str = "tcs",
    density: float = 0.01,
    own_density: float = 0.001,
    local_steps: int = 4,
    groups: int | None = None,
    dynamic_range: float | None = None,
    residual_units: str = "gradient",
    dense_rounds: int = 0,
    **descent: Any,
) -> Synchronous:
    """Build TCS.

    Parameters
    ----------
    density : float
        The share of coordinates in the mask, k = ceil(density d).
    own_density : float
        The share that each worker sends outside the mask, m = ceil(own_density d).
    local_steps : int
        L.
    groups, dynamic_range
        See `Groups`; ``groups=None`` does not quantise.
    residual_units : {"gradient", "step"}
        Whether a residual scales with the learning rate when that drops.
    dense_rounds : int
        Rounds of one step and a dense average before the mask of all ones.

    Raises
    ------
    ValueError
        If a value is out of range; with the model at hand, if a share of d is less than one, or k + m > d.
    """
    seats = Seats(density, None, own_density, "own_density", disjoint=True)
    exchange = TimeCorrelated(seats, None if groups is None else Groups(groups, dynamic_range))
    return with_residual(
        name,
        exchange,
        seats,
        local_steps=local_steps,
        dense_rounds=dense_rounds,
        residual_units=residual_units,
        **descent,
    )
