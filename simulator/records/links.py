"""What moved over each link of the network, mark by mark, and how busy that kept it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from network_models import Network
from simulator.moment import Moment

LINKS = pa.schema(
    [
        pa.field("round", pa.int64()),
        pa.field("seconds", pa.float64()),
        pa.field("link", pa.string()),
        pa.field("capacity_bps", pa.float64()),
        pa.field("carried_bits", pa.float64()),
    ]
)
MANY = 2000  # links; of more than these only the latest mark is kept
BUSIEST = 5


class LinkRecord:
    """Keeps the cumulative bits of every link with a limit.

    Parameters
    ----------
    network : Network

    Notes
    -----
    Utilisation is bits / (capacity x seconds). A capacity that changes in time counts as its largest.
    """

    def __init__(self, network: Network) -> None:
        fabric = network.fabric
        capacity = np.asarray(fabric.capacity_bps)
        kept: dict[str, int] = {}  # both directions of a half-duplex link are one, which goes by one name
        for resource in np.flatnonzero(np.isfinite(capacity)).tolist():
            kept.setdefault(fabric.label(resource), resource)
        self.labels, self._resources = list(kept), np.array(list(kept.values()), dtype=np.int64)
        self.capacity_bps = capacity[self._resources]
        self._marks: list[tuple[int, float, np.ndarray]] = []

    def note(self, t: int, moment: Moment) -> None:
        """Note the mark after round t."""
        if len(self.labels) > MANY:
            self._marks.clear()
        self._marks.append((t, moment.seconds, moment.carried_bits[self._resources]))

    def table(self) -> pa.Table:
        """Give a row for each mark and link."""
        marks, links = len(self._marks), len(self.labels)
        columns = (
            pa.array(np.repeat([t for t, _, _ in self._marks], links).astype(np.int64)),
            pa.array(np.repeat([seconds for _, seconds, _ in self._marks], links).astype(np.float64)),
            pa.array(self.labels * marks, pa.string()),
            pa.array(np.tile(self.capacity_bps, marks)),
            pa.array(np.concatenate([np.zeros(0), *(bits for _, _, bits in self._marks)])),
        )
        return pa.Table.from_arrays(columns, schema=LINKS)

    def summary(self) -> dict[str, Any] | None:
        """Give the mean utilisation over all links and that of the busiest by name; None before time has passed."""
        if not self._marks or not self._marks[-1][1] > 0 or not self.labels:
            return None
        _, seconds, bits = self._marks[-1]
        used = bits / (self.capacity_bps * seconds)
        busiest = np.argsort(-used, kind="stable")[:BUSIEST].tolist()
        return {
            "mean_utilisation": float(used.mean()),
            "busiest": {self.labels[link]: float(used[link]) for link in busiest if used[link] > 0},
        }
