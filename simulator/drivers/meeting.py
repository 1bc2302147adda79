"""Where the parts of a cohort meet at a collective. In one process it is a matter of joining rows in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from algorithms.cohort import Cohort
from algorithms.payloads import Payload, Summable


class Meeting(Protocol):
    """Brings together what the parts of one cohort hold; every part gets the same answer."""

    def join(self, payloads: Sequence[Payload]) -> Payload:
        """Put the rows of all parts behind one another, in worker order."""
        ...

    def fold(self, payloads: Sequence[Summable], cohorts: Sequence[Cohort]) -> Payload:
        """Sum the rows of all parts, chunk by chunk and then over the chunks from left to right; one row."""
        ...

    def rows(self, tensors: Sequence[Tensor]) -> Tensor:
        """Put tensors' rows of all parts behind one another."""
        ...


class InProcess:
    """All parts live in this process."""

    def join(self, payloads: Sequence[Payload]) -> Payload:
        return payloads[0] if len(payloads) == 1 else type(payloads[0]).join(list(payloads))

    def fold(self, payloads: Sequence[Summable], cohorts: Sequence[Cohort]) -> Payload:
        pairs = zip(payloads, cohorts, strict=True)
        return payloads[0].merge(self.rows([payload.partials(cohort.chunks) for payload, cohort in pairs]))

    def rows(self, tensors: Sequence[Tensor]) -> Tensor:
        return tensors[0] if len(tensors) == 1 else torch.cat(list(tensors))
