"""Real processes: each rank hosts its share of the same cohort and talks to the others through torch.distributed.

What travels is what the codecs write: a gather moves encoded messages and decodes them on arrival. Sums are taken from
the chunks' partial sums in chunk order, never by the backend's own reduction, so the run ends in the simulated run's
digest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.payloads import Payload, Summable, decode


class TorchDistributed:
    """A meeting over the default process group (gloo or NCCL); this process holds one part."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.wire = device if dist.get_backend() == "nccl" else torch.device("cpu")

    def _all_gather(self, block: Tensor) -> list[Tensor]:
        """Gather one-dimensional tensors of different lengths from every rank."""
        mine = torch.tensor([len(block)], device=self.wire)
        lengths = [torch.zeros_like(mine) for _ in range(dist.get_world_size())]
        dist.all_gather(lengths, mine)
        longest = int(max(int(length) for length in lengths))
        padded = torch.zeros(longest, dtype=block.dtype, device=self.wire)
        padded[: len(block)] = block.to(self.wire)
        blocks = [torch.zeros_like(padded) for _ in lengths]
        dist.all_gather(blocks, padded)
        return [b[: int(length)] for b, length in zip(blocks, lengths, strict=True)]

    def join(self, payloads: Sequence[Payload]) -> Payload:
        (payload,) = payloads
        messages = [payload.encode(row) for row in range(payload.rows)]
        sizes = self._all_gather(torch.tensor([len(message) for message in messages], dtype=torch.int64))
        blob = torch.from_numpy(np.frombuffer(b"".join(messages), dtype=np.uint8).copy())
        received = []
        for block, lengths in zip(self._all_gather(blob), sizes, strict=True):
            data, start = block.cpu().numpy().tobytes(), 0
            for length in lengths.tolist():
                received.append(decode(data[start : start + length], device=self.device))
                start += length
        return type(received[0]).join(received)

    def fold(self, payloads: Sequence[Summable], cohorts: Sequence[Cohort]) -> Payload:
        (payload,), (cohort,) = payloads, cohorts
        return payload.merge(self.rows([payload.partials(cohort.chunks)]))

    def rows(self, tensors: Sequence[Tensor]) -> Tensor:
        (tensor,) = tensors
        gathered = torch.cat(self._all_gather(tensor.reshape(-1)))
        return gathered.view(-1, *tensor.shape[1:]).to(tensor.device)
