"""Sketched top-k: sketches tell which coordinates may be large, exact values of these tell which are.

Workers send sketches of their rows; from the mean sketch P k candidates are elected and made known; workers send the
candidates' exact values; the k largest means are what everybody moves by. Two uplink phases and two downlink phases at
a server, two all-reduces without one.

Legend: w rows here, d coordinates, k kept, P candidates per kept coordinate.

References
----------
Ivkin, Rothchild, Ullah, Braverman, Stoica, Arora, "Communication-efficient Distributed SGD with Sketching", NeurIPS
2019, Algorithm 3 (and 1 for `heavymix`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from algorithms.checks import boolean, whole
from algorithms.cohort import Cohort
from algorithms.compressors import Identity, compress
from algorithms.compressors.base import check_sparsity, kept
from algorithms.compressors.selection import largest
from algorithms.compressors.sketcher import Sketcher
from algorithms.exchanges.elections import ELECTIONS, keep_largest
from algorithms.exchanges.exempt import Exempt, Split
from algorithms.exchanges.routes import route
from algorithms.ops import Work
from algorithms.payloads import Bits, Dense, Marks, Payload, Sparse
from algorithms.payloads.floats import rounded
from algorithms.sketches.accounting import compression_factor
from algorithms.sketches.shape import SketchShape
from algorithms.state import Stateful


@dataclass(frozen=True)
class Budget:
    """How many coordinates are looked at and kept.

    Parameters
    ----------
    density, k
        As in `TopK`: exactly one of the two.
    candidates : int
        P: P k coordinates are fetched exactly; 0: none are, and the k largest estimates are what is moved by.
    election : str
        ``largest`` estimates, or ``heavymix`` (with P = 1).
    truncation : int or None
        Sketch only so many times k of each row's coordinates, the largest; None: all (an option of the authors' code).
    """

    density: float | None
    k: int | None
    candidates: int
    election: str
    truncation: int | None = None

    def __post_init__(self) -> None:
        check_sparsity(self.density, self.k)
        whole("algorithm.candidates", self.candidates, least=0)
        if self.truncation is not None:
            whole("algorithm.truncation", self.truncation)
        if self.election not in ELECTIONS:
            raise ValueError(f"algorithm.election: expected one of {', '.join(ELECTIONS)}, got {self.election!r}")
        if self.election == "heavymix" and self.candidates != 1:
            raise ValueError(
                f"algorithm.candidates: expected 1 with algorithm.election=heavymix, whose k coordinates are all "
                f"fetched and kept, got {self.candidates}"
            )

    def counts(self, d: int, sketched: int) -> tuple[int, int]:
        """Give k and the number of coordinates to elect; ValueError if there are fewer."""
        k = kept(self.density, self.k, d)
        elected = k * max(1, self.candidates)
        if elected > sketched:
            raise ValueError(
                f"algorithm.candidates: expected P k <= d = {sketched} sketched coordinates, got P = "
                f"{self.candidates} and k = {k}, P k = {elected}"
            )
        return k, elected

    def truncated(self, rows: Tensor, k: int) -> Tensor:
        """Set all but the largest coordinates of each row to 0, or give the rows themselves."""
        if self.truncation is None or self.truncation * k >= rows.shape[1]:
            return rows
        where = largest(rows, self.truncation * k)
        return torch.zeros_like(rows).scatter_(1, where, rows.gather(1, where))


class SketchedMean(Stateful):
    """Average the k coordinates whose means are largest, as far as sketches can tell which these are.

    Parameters
    ----------
    budget : Budget
    shape : SketchShape
    exempt : Exempt
        What is never sketched and always sent exactly.
    kind : str
        How sums and values travel: fp32, fp16 or bf16.
    via : str
        ``server`` or ``all_reduce``.
    subtract_mean : bool
        What a worker counts as sent at the coordinates that all move by: the mean (Algorithm 2), or what it sent itself
        (Algorithm 3).

    Notes
    -----
    `paper` bits are 32 (r c + P k) up and 32 k down, as in the paper: no index is counted, b exact coordinates are, in
    both directions. The exact ones travel with the candidates' values. `notes` has the factor that the paper makes of
    this.
    """

    def __init__(
        self,
        budget: Budget,
        shape: SketchShape,
        exempt: Exempt,
        kind: str = "fp32",
        via: str = "server",
        subtract_mean: bool = False,
    ) -> None:
        self.budget, self.shape, self.exempt, self.kind = budget, shape, exempt, Identity(kind).kind
        self.route, self.elect = route(via), ELECTIONS[budget.election]
        self.subtract_mean = boolean("algorithm.subtract_mean", subtract_mean)
        self.samples = self.route.samples
        self.factor: float | None = None
        self.conserves = "workers" if budget.candidates or subtract_mean else "none"

    async def __call__(self, cohort: Cohort, update: Tensor, t: int) -> tuple[Tensor, Payload]:
        split, factors = self.exempt.split(cohort.layout, update.device), self.route.factors(cohort)
        shares = update if factors is None else update * factors
        found = await self._elect(cohort, shares, split, t)
        if self.budget.candidates:
            columns = split.with_exact(found.indices.long())
            received = await self._fetch(cohort, shares, columns, split)
            mean, support = received.dense()[0], received.indices
        else:
            support, columns = split.with_exact(found.indices), split.with_exact(found.indices[:0])
            mean = found.dense()[0]
            if len(columns):
                mean += (await self._fetch(cohort, shares, columns, split)).dense()[0]
        if self.subtract_mean:
            values = mean[support].expand(len(update), -1)
        else:
            values = rounded(shares[:, support], self._kind(update))
            values = values if factors is None else values / factors
        return mean, Sparse.rows_of(len(mean), support.expand(len(update), -1), values)

    def notes(self) -> dict[str, Any]:
        """Give the paper's compression factor, both directions together, for the run's summary."""
        return {} if self.factor is None else {"paper_compression_factor": self.factor}

    async def _elect(self, cohort: Cohort, shares: Tensor, split: Split, t: int) -> Sparse:
        """Sketch, and learn which coordinates the mean sketch elects: marks, or estimates where nothing is fetched."""
        size = len(split.exact) - split.count
        k, count = self._counts(split)
        sketch = self.shape.sketch(cohort, size, k)

        def elect(table: Tensor) -> tuple[Sparse, None]:
            estimates = sketch.query(table[None])[0]
            chosen = self.elect(estimates, sketch.norm(table[None])[0], count, cohort.shared(t))
            where = split.compressed[chosen][None]
            if not self.budget.candidates:
                paper = Bits.of(1, values=32 * count)
                return Sparse.rows_of(len(split.exact), where, estimates[chosen][None], paper=paper), None
            return Sparse.rows_of(len(split.exact), where, Marks(count, where.device), paper=Bits.of(1)), None

        if self.budget.truncation is not None:
            await Work("encode", 4 * size * shares.element_size())
        fetched = k * self.budget.candidates + split.count
        self.factor = compression_factor(len(split.exact), sketch.rows * sketch.columns, fetched, k + split.count)
        sketcher = Sketcher(sketch, self.kind, lambda rows: self.budget.truncated(split.compressed_of(rows), k))
        sketches = await compress(cohort, sketcher, shares, size)
        decoding = (2 * sketch.rows + 4) * size * shares.element_size()
        return (await self.route.decide(sketches, cohort, elect, decoding))[0]

    async def _fetch(self, cohort: Cohort, shares: Tensor, columns: Tensor, split: Split) -> Sparse:
        """Send some coordinates exactly, and learn the means that all move by."""
        k, _ = self._counts(split) if self.budget.candidates else (0, 0)
        await Work("encode", 2 * len(columns) * shares.element_size())
        paper = Bits.of(len(shares), values=32 * len(columns))
        values = Dense.rounded(shares[:, columns], self._kind(shares), paper)

        def keep(mean: Tensor) -> tuple[Sparse, None]:
            return keep_largest(mean, columns, split, k), None

        return (await self.route.decide(values, cohort, keep, 4 * len(columns) * shares.element_size()))[0]

    def _counts(self, split: Split) -> tuple[int, int]:
        return self.budget.counts(len(split.exact), len(split.exact) - split.count)

    def _kind(self, rows: Tensor) -> str:
        return "fp64" if self.kind == "fp32" and rows.element_size() == 8 else self.kind
