"""Drive a server and its workers by hand, one local step of every worker at a time, with no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from torch import Tensor

from algorithms.ops import SERVER, Gradient, Mark, Receive, Send, Work
from algorithms.qsparse_async import QsparseAsync
from tests.algorithms.by_hand import cohort_of

Watch = Callable[[dict[int, Tensor], dict[int, Tensor]], None]


class ByStep:
    """The programs of one run.

    Parameters
    ----------
    watch : callable
        Is told, before every step, where each worker stands and the model that it received last.
    gradient : callable
        Gives the gradient of a worker, shape (1, d), at a point, shape (1, d), on a mini-batch.
    """

    def __init__(
        self, algorithm: QsparseAsync, start: Tensor, n: int, rounds: int, gradient: Any, watch: Watch | None = None
    ) -> None:
        algorithm.begin(start)
        options = {"dtype": start.dtype}
        self.gradient, self.watch, self.n = gradient, watch or (lambda at, received: None), n
        self.programs = {r: algorithm.worker(cohort_of(n, len(start), only=r, **options), rounds) for r in range(n)}
        self.programs[SERVER] = algorithm.server(cohort_of(n, len(start), **options), rounds)
        self.received = dict.fromkeys(range(n), start.clone())
        self.mail: dict[tuple[int, int], deque[Any]] = {}
        self.waiting: dict[int, Any] = {}
        self.marks: list[tuple[int, Tensor]] = []
        self.sends: list[tuple[int, int]] = []  # what the server answered: (step, worker)
        self.steps, self.over = 0, False

    def play(self) -> None:
        """Run to the server's end."""
        for node in self.programs:
            self._advance(node, None)
        while not self.over:
            at = {r: op.at.view(1, -1) for r, op in self.waiting.items() if isinstance(op, Gradient)}
            self.watch(at, self.received)
            asked = {r: self.waiting[r] for r in sorted(at)}
            answers = {r: self.gradient(r, op.at.view(1, -1), op.step) for r, op in asked.items()}
            assert answers, f"nobody computes: {self.waiting}"
            self.steps += 1
            for r, answer in answers.items():
                self._advance(r, answer)
            while self._deliver():
                pass
        for program in self.programs.values():
            program.close()

    def _deliver(self) -> bool:
        """Hand over one message that somebody waits for."""
        for node, op in list(self.waiting.items()):
            box = self.mail.get((op.source, node)) if isinstance(op, Receive) else None
            if box and not self.over:
                payload = box.popleft()
                if node != SERVER:
                    self.received[node] = payload.dense()[0]
                self._advance(node, payload)
                return True
        return False

    def _advance(self, node: int, answer: Any) -> None:
        """Go on to the next op that has to wait."""
        while True:
            try:
                op = self.programs[node].send(answer)
            except StopIteration:
                self.waiting.pop(node, None)
                self.over |= node == SERVER
                return
            answer = None
            match op:
                case Work():
                    pass
                case Mark(label=label, model=model):
                    self.marks.append((label, model.clone()))
                case Send(to=to, payload=payload):
                    self.mail.setdefault((node, to), deque()).append(payload)
                    if node == SERVER:
                        self.sends.append((self.steps, to))
                case _:
                    self.waiting[node] = op
                    return
