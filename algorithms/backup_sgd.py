"""Synchronous SGD with backup workers: each step takes the first n - b gradients and goes on without the others.

A worker that is still computing when the next model comes gives its gradient up; one whose gradient is already on its
way is heard too late, and what it says is dropped.

Legend: n workers in all, b of them backups, T = rounds = steps.

References
----------
Chen, Pan, Monga, Bengio, Jozefowicz, "Revisiting Distributed Synchronous SGD", arXiv:1604.00981, 2016, section 3.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.ops import Attempt, Joined, Left, Mark, ReceiveAny
from algorithms.parameter_server import ParameterServer, fold
from algorithms.payloads import Payload


class BackupWorkers(ParameterServer):
    """One program for each worker and one for the server.

    Parameters
    ----------
    workers : int
        n.
    backups : int or None
        b, 0 <= b < n; None: a quarter of the workers. More wait less and lose more.
    **options
        As for `ParameterServer`.

    Notes
    -----
    Each model that a worker receives is answered by one message, its gradient or, where it was given up, a bare header,
    so that the server knows by counting which step a message belongs to. The gradients of a step are folded in the
    order of the workers: with b = 0 the run is synchronous SGD, bit for bit. Fewer than n - b workers suffice when no
    more are there.
    """

    def __init__(self, *, workers: int, backups: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        b = workers // 4 if backups is None else backups
        if isinstance(b, bool) or not isinstance(b, int) or not 0 <= b < workers:
            raise ValueError(
                f"algorithm.backups: expected a whole number in 0..{workers - 1} (fewer than workers), or null, "
                f"got {backups!r}"
            )
        self.backups = b
        self.dropped = 0

    async def gradient(self, model: Tensor, step: int) -> Tensor | None:
        """Compute a gradient until the next model comes."""
        return await Attempt(model, step=step)

    async def server(self, cohort: Cohort, rounds: int) -> None:
        """Collect the first gradients of each step, average them, send the model to everybody."""
        present = set(range(cohort.n))
        step_of = [0] * cohort.n  # the step that each worker's next message belongs to
        for t in range(rounds):
            pushes: dict[int, Payload] = {}
            while len(pushes) < cohort.n - self.backups and not (pushes and present <= pushes.keys()):
                match await ReceiveAny():
                    case Joined(worker):
                        present.add(worker)
                        step_of[worker] = t
                        await self.answer([worker])
                    case Left(worker):
                        present.discard(worker)
                    case (source, message):
                        if step_of[source] == t:
                            pushes[source] = message
                        else:
                            self.dropped += 1
                        step_of[source] += 1
            for source in pushes:
                self.late(self.read[source])
            await self.apply(fold(cohort, list(pushes.items())), len(pushes), t, rounds)
            await Mark(t + 1, self.model)
            await self.answer(sorted(present))

    def notes(self) -> dict[str, Any]:
        """Give the staleness histogram, all zero, and the messages that came too late or said so."""
        return super().notes() | {"dropped": self.dropped}


def backup_sgd(*, workers: int, name: str = "backup_sgd", **options: Any) -> BackupWorkers:
    """Build SGD with backup workers; `options` go to `BackupWorkers`, `ParameterServer` and `Descent`."""
    return BackupWorkers(workers=workers, name=name, **options)
