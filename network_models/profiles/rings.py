"""Rings whose ranks work through their steps with a few messages in flight.

In every step each rank sends to the rank `shift` places on and receives from the one as many places back. It enters a
step when it is through with what it did `depth` steps ago; then it posts the receive and sends, each message behind
the last.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from network_models.engines.contention import contended
from network_models.fabric import Floats, Integers
from network_models.paths import Paths
from network_models.profiles.plan import Played, Post, Software, play
from network_models.profiles.recurrence import recurrence
from network_models.schedules.step import Program, Step, rotation, shifted


@dataclass(frozen=True, eq=False)
class Phase:
    """Steps of a ring that every rank is through with before it enters the next phase.

    Parameters
    ----------
    steps : int
    size_bytes : callable
        Step (from 0) to bytes of each rank's message, shape (w,), or one float where they are the same.
    reducing : bool
        Whether it counts as uplink.
    """

    steps: int
    size_bytes: Callable[[int], Floats | float]
    reducing: bool = False

    @property
    def total_bytes(self) -> Floats | float:
        """What each rank sends in all steps."""
        total: Floats | float = 0.0
        for step in range(self.steps):
            total = total + self.size_bytes(step)
        return total


@dataclass(frozen=True, eq=False)
class Ring:
    """What the ranks of a ring send.

    Parameters
    ----------
    ranks, shift, depth : int
    rendezvous : bool
        Whether data waits for the receiver's note.
    alike : bool
        Whether all ranks send the same in every step.
    phases : tuple of Phase
    """

    ranks: int
    shift: int
    depth: int
    rendezvous: bool
    alike: bool
    phases: tuple[Phase, ...]

    def before(self, first: int, step: int) -> list[int]:
        """The steps that a rank must be through with before one; `first` steps came before its phase."""
        if step >= self.depth:
            return [first + step - self.depth]
        return list(range(max(first - self.depth, 0), first))

    def posts(self) -> list[Post]:
        """Every message, with what it waits for; those of a step are numbered by their sender."""
        posts: list[Post] = []
        ranks, shift = self.ranks, self.shift
        for phase in self.phases:
            first = len(posts) // ranks
            for step in range(phase.steps):
                sizes = np.broadcast_to(phase.size_bytes(step), ranks).tolist()
                bases = [earlier * ranks for earlier in self.before(first, step)]
                for rank in range(ranks):
                    following, source = (rank + shift) % ranks, (rank - shift) % ranks
                    after = tuple(base + number for base in bases for number in (source, rank))
                    posted = tuple(base + number for base in bases for number in (rank, following))
                    posts.append(Post(rank, following, sizes[rank], after, posted, phase.reducing))
        return posts

    def program(self) -> Program:
        """What all steps of a phase carry together, as one."""
        ends = rotation(self.ranks, self.shift % self.ranks)
        return Program(self.ranks, [Step(*ends, phase.total_bytes, phase.reducing) for phase in self.phases])


def play_ring(paths: Paths, workers: Integers, start: Floats, ring: Ring, software: Software) -> Played:
    """Time a ring: by a recurrence where no two messages meet and nothing is random or remembered, else as flows."""
    once = Program(ring.ranks, [shifted(ring.ranks, ring.shift, 0.0)])
    # Between two ranks notes and data use one channel, and only flows know how they hinder one another.
    if ring.ranks < 3 or not paths.plain or contended(once, paths, workers):
        return play(paths, workers, start, ring.posts(), ring.rendezvous, software)
    program = ring.program()
    for step in program.steps:
        paths.regime.watch(workers, workers[step.destination], float(step.sizes.max()))
    return Played(recurrence(paths, workers, start, ring, software), program)
