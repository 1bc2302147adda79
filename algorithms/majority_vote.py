"""SSGD with majority voting: workers first elect k coordinates, then average only those; both directions are sparse.

Each worker votes for the k largest magnitudes of its corrected update over the whole model; the server elects the k
coordinates with most votes and announces them; then values travel without indices. The vote is a round trip of its
own: two barriers a round.

w rows here, n workers, d coordinates, k elected, L local steps, P groups of the value quantiser.

References
----------
Ozfatura, Ozfatura, Gündüz, "Distributed Sparse SGD with Majority Voting", 2020, arXiv:2011.06495.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors import TopK
from algorithms.compressors.base import check_sparsity
from algorithms.compressors.groups import Groups
from algorithms.gathered import Gathered
from algorithms.ops import AtServer, Broadcast, Gather, Work
from algorithms.payloads import Bits, Dense, FloatValues, Full, Sparse, Values
from algorithms.state import Stateful
from algorithms.synchronous import Synchronous
from algorithms.voting.ballots import Ballot, GlobalReference, LocalReference, WholeBallot
from algorithms.voting.counts import Seats
from algorithms.voting.election import Election, lottery, most_votes
from algorithms.voting.paper_bits import value_bits
from algorithms.voting.rounds import with_residual

_REFERENCES: dict[str, Callable[[], Ballot]] = {"local": LocalReference, "global": GlobalReference}
_VOTES = ("topk", "random", "add_drop")


class MajorityVote(Stateful):
    """Elect coordinates at the server, then average only those.

    Parameters
    ----------
    seats : Seats
        How many coordinates are elected, and how many a vote may change.
    ballot : Ballot
        How a vote is told and counted.
    election : Election
        Who wins.
    quantiser : Groups or None
        What is applied to a worker's values; None: they travel as they are.

    Notes
    -----
    The server's mean of k values comes down in full precision.
    """

    conserves = "workers"
    samples = False
    state_names = ("ballot",)

    def __init__(self, seats: Seats, ballot: Ballot, election: Election, quantiser: Groups | None) -> None:
        self.seats, self.election, self.quantiser = seats, election, quantiser
        self.ballot: Any = ballot

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Sparse]:
        mask = await self._elect(cohort, update, t)
        w, d = update.shape
        await Work("encode", 2 * len(mask) * update.element_size())
        values, paper = update[:, mask], Bits.of(w, values=len(mask) * value_bits(self._groups))
        coded: Values = FloatValues(values.reshape(-1)) if self.quantiser is None else self.quantiser(values)
        message = Dense(values, paper=paper) if self.quantiser is None else Full(len(mask), w, coded, paper)
        gathered = await Gather(message)
        mean = await AtServer(Gathered.mean, gathered, size_bytes=int(gathered.payload.bytes.sum()))
        await Broadcast(Dense(mean[None], paper=Bits.of(1, values=32 * len(mask))))
        whole = torch.zeros(d, dtype=update.dtype, device=update.device)
        whole[mask] = mean.to(update.dtype)
        held = coded.flat if isinstance(coded, FloatValues) else coded
        return whole, Sparse(d, torch.arange(w + 1) * len(mask), mask.repeat(w), held)

    async def _elect(self, cohort: Cohort, update: Tensor, t: int) -> Tensor:
        """Vote, count, announce: the first of the two round trips."""
        d = update.shape[1]
        keep, most = self.seats.of(d)
        await Work("encode", int(TopK(k=keep).passes() * d * update.element_size()))
        gathered = await Gather(self.ballot.cast(cohort, update, keep, most))

        def election(met: Gathered) -> tuple[Tensor, Tensor]:
            votes = self.ballot.count(met)
            return votes, self.election(votes, keep, cohort.shared(t))

        size_bytes = int(gathered.payload.bytes.sum()) + 4 * d
        outcome: tuple[Tensor, Tensor] = await AtServer(election, gathered, size_bytes)
        votes, mask = outcome
        announced = self.ballot.announce(mask, d)
        self.ballot.settle(votes, mask)
        await Broadcast(announced)
        return mask

    @property
    def _groups(self) -> int | None:
        return None if self.quantiser is None else self.quantiser.groups


def majority_vote(
    *,
    name: str = "majority_vote",
    density: float | None = 0.01,
    k: int | None = None,
    vote: str = "topk",
    change_density: float = 0.001,
    reference: str = "local",
    local_steps: int = 4,
    groups: int | None = None,
    dynamic_range: float | None = None,
    residual_units: str = "gradient",
    dense_rounds: int = 0,
    **descent: Any,
) -> Synchronous:
    """Build SSGD with majority voting.

    Parameters
    ----------
    density, k
        phi, the share of coordinates elected, k = ceil(phi d); or k itself, with ``density=None``.
    vote : {"topk", "random", "add_drop"}
        Elect by most votes; draw in proportion to votes; or most votes, of which each worker tells only the changes.
    change_density : float
        Under add_drop: the share of coordinates that a vote may add in a round, and drop.
    reference : {"local", "global"}
        Under add_drop: changes of what; of a worker's own last vote, or of the last elected mask.
    local_steps : int
        L.
    groups, dynamic_range
        See `Groups`; ``groups=None`` does not quantise.
    residual_units : {"gradient", "step"}
        Whether a residual scales with the learning rate when that drops.
    dense_rounds : int
        Rounds of one step and a dense average before the first vote.

    Raises
    ------
    ValueError
        If a value is out of range; with the model at hand, if phi d < 1 or k > d.
    """
    check_sparsity(density, k)
    if vote not in _VOTES:
        raise ValueError(f"algorithm.vote: expected one of {', '.join(_VOTES)}, got {vote!r}")
    if reference not in _REFERENCES:
        raise ValueError(f"algorithm.reference: expected one of {', '.join(_REFERENCES)}, got {reference!r}")
    changing = vote == "add_drop"
    seats = Seats(density, k, change_density if changing else None)
    ballot = _REFERENCES[reference]() if changing else WholeBallot()
    quantiser = None if groups is None else Groups(groups, dynamic_range)
    exchange = MajorityVote(seats, ballot, lottery if vote == "random" else most_votes, quantiser)
    return with_residual(
        name,
        exchange,
        seats,
        local_steps=local_steps,
        dense_rounds=dense_rounds,
        residual_units=residual_units,
        **descent,
    )
