"""signSGD with majority vote: workers send signs, the server sends back the sign that most of them gave.

References
----------
Bernstein, Zhao, Azizzadenesheli, Anandkumar, "signSGD with Majority Vote is Communication Efficient and Fault
Tolerant", ICLR 2019, Algorithm 1 (Signum: momentum m <- beta m + (1 - beta) g on the worker).
"""

from __future__ import annotations

from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.compressors import Sign, compress
from algorithms.descent import Descent
from algorithms.gathered import Gathered
from algorithms.ops import AtServer, Broadcast, Gather, Gradient
from algorithms.outer import OuterDescent
from algorithms.payloads import Bits, Payload, Signs
from algorithms.schedules import Schedule
from algorithms.state import Rows, Stateful
from algorithms.synchronous import Synchronous


def majority(gathered: Gathered) -> Signs:
    """Elect the sign of each coordinate; a tie among an even number of voters is +1, as in the authors' code."""
    votes = gathered.payload
    if not isinstance(votes, Signs):
        raise TypeError(f"majority: expected votes as Signs, got {type(votes).__name__}")
    return Signs(votes.size, votes.majority()[None], None, paper=Bits.of(1, values=votes.size))


class MajorityVote(Stateful):
    """Gather signs, broadcast the majority's; `mean` is that vector of +1 and -1, which no sum of votes conserves."""

    conserves = "none"
    samples = False

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        votes = await compress(cohort, Sign(), update)
        gathered = await Gather(votes)
        elected = await AtServer(majority, gathered, size_bytes=int(gathered.payload.bytes.sum()))
        received = await Broadcast(elected)
        return received.dense()[0].to(update.dtype), votes


class AveragedGradient(Stateful):
    """The update is each worker's exponential average of its gradients, m <- beta m + (1 - beta) g.

    Parameters
    ----------
    beta : float
        In [0, 1); 0 keeps the gradient itself and no state.
    """

    state_names = ("average",)

    def __init__(self, beta: float) -> None:
        if not (isinstance(beta, (int, float)) and 0 <= beta < 1):
            raise ValueError(f"algorithm.momentum: expected a number in [0, 1), got {beta!r}")
        self.beta, self.average = beta, Rows("average") if beta else None

    async def __call__(self, cohort: Cohort, model: Tensor, t: int, rounds: int) -> Tensor:
        gradient = await Gradient(model, step=t)
        if self.average is None:
            return gradient
        average = self.average.add(cohort, gradient, decay=self.beta, gain=1 - self.beta)
        self.average.close(cohort, average)
        return average


def signsgd_vote(
    *,
    name: str = "signsgd_vote",
    lr: float = 0.001,
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    schedule: Schedule | None = None,
) -> Synchronous:
    """Build signSGD with majority vote; `momentum` is the worker's, weight decay is added to the elected sign."""
    outer = OuterDescent(Descent(lr=lr, weight_decay=weight_decay, schedule=schedule))
    return Synchronous(name=name, local=AveragedGradient(momentum), exchange=MajorityVote(), outer=outer)
