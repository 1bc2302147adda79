"""How the sampled workers of a round come to the common model: by downloading it, or what they missed of it."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.ops import Broadcast, Scatter
from algorithms.payloads import Bits, Bundle, Dense, Payload, Sparse, decode
from algorithms.state import Stateful


class Download(Protocol):
    """What begins a round in which only some workers take part."""

    async def __call__(self, cohort: Cohort, model: Tensor, t: int) -> Tensor:
        """Give the model, shape (d,), that every active worker of round t has after its download."""
        ...


class WholeModel(Stateful):
    """Every sampled worker downloads the whole model (federated averaging)."""

    async def __call__(self, cohort: Cohort, model: Tensor, t: int) -> Tensor:
        return (await Broadcast(Dense(model[None].clone()))).dense()[0].clone()


class MissedUpdates(Stateful):
    """Every sampled worker downloads the sum of the updates since it last took part, or the model where that is less.

    The server keeps the latest updates, and forgets one when all from it on take more bytes than the model.

    Notes
    -----
    A worker that missed tau updates is sent the shortest of these tau messages, their sum as a sparse message, and the
    model itself, which alone is dense. The first take tau times an update, the paper's bound on the partial sums that
    its server keeps; `paper` bits are that bound, or the model's. A worker that has never taken part downloads the
    model. The simulated workers hold the server's model to the bit; real ones that add up floats would differ in the
    last place.

    References
    ----------
    Sattler, Wiedemann, Müller, Samek, "Robust and Communication-Efficient Federated Learning from Non-IID Data", 2019,
    section on partial participation (from memory; the authors' code lets workers download for nothing).
    """

    def __init__(self) -> None:
        self.updates: list[Payload] = []
        self.paper_bits: list[float] = []
        self.seen: Tensor | None = None

    def add(self, update: Payload, model_bytes: int) -> None:
        """Keep the update of a round, one row; the model is going to be moved by it."""
        self.updates.append(update)
        self.paper_bits.append(math.nan if update.paper is None else float(update.paper.total[0]))
        held = np.cumsum([int(kept.bytes[0]) for kept in reversed(self.updates)])
        useful = int(np.searchsorted(held, model_bytes)) + 1
        del self.updates[:-useful], self.paper_bits[:-useful]

    async def __call__(self, cohort: Cohort, model: Tensor, t: int) -> Tensor:
        if self.seen is None:
            self.seen = torch.full((cohort.n,), -1, dtype=torch.int64)
        missed = [t - last if last >= 0 else None for last in self.seen[cohort.active].tolist()]
        await Scatter(self.bundle(missed, model))
        self.seen[cohort.active] = t
        return model

    def bundle(self, missed: list[int | None], model: Tensor) -> Bundle:
        """Write what each worker is sent that has missed so many of the latest updates; None: that has no model yet."""
        whole, width = Dense(model[None].clone()), 8.0 * model.element_size() * len(model)
        messages: dict[int | None, tuple[Payload, ...]] = dict.fromkeys(missed, (whole,))
        paper: dict[int | None, float] = dict.fromkeys(missed, width)
        total, length, formula = torch.zeros_like(model), 0, 0.0
        for tau in range(1, len(self.updates) + 1):
            update = self.updates[-tau].to(model.device)
            update.add_to(total)
            length += int(update.bytes[0])
            formula += self.paper_bits[-tau]
            if tau in messages:
                summed = Sparse.nonzeros(total[None])
                if length < whole.bytes[0] and length <= summed.bytes[0]:
                    messages[tau] = tuple(self.updates[-tau:])
                elif summed.bytes[0] < whole.bytes[0]:
                    messages[tau] = (summed,)
                paper[tau] = float(np.minimum(width, formula))
        values = np.array([paper[tau] for tau in missed])
        return Bundle(len(model), tuple(messages[tau] for tau in missed), Bits.of(len(missed), values=values))

    def footprint(self) -> tuple[int, int]:
        """Count what is remembered in numbers of four bytes, all of it at the server."""
        own = 0 if self.seen is None else len(self.seen)
        return 0, own + sum(int(update.bytes[0]) for update in self.updates) // 4

    def state(self) -> dict[str, Any]:
        """Give the updates as they are encoded, their paper bits, and when each worker last took part."""
        encoded = [torch.frombuffer(bytearray(update.encode(0)), dtype=torch.uint8) for update in self.updates]
        return {"updates": encoded, "paper_bits": list(self.paper_bits), "seen": self.seen}

    def load(self, state: dict[str, Any]) -> None:
        """Restore what `state` gave."""
        self.updates = [decode(encoded.cpu().numpy().tobytes()) for encoded in state["updates"]]
        self.paper_bits, self.seen = list(state["paper_bits"]), state["seen"]
