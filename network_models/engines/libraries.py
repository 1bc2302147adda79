"""Hand a collective to the library whose ways a profile plays, if it has that collective."""

from __future__ import annotations

from typing import Any

import numpy as np

from network_models.fabric import Floats, Integers
from network_models.paths import Paths
from network_models.schedules.call import Call
from network_models.timing import Timing

# What profiles call collectives among ranks, where it is not what networks call them, and whether one begins or ends
# at the first rank only.
_METHODS = {
    "all_reduce": ("all_reduce", False),
    "all_gather": ("all_gather", False),
    "reduce_scatter": ("reduce_scatter", False),
    "all_to_all": ("all_to_all", False),
    "broadcast": ("tree_broadcast", True),
    "reduce": ("reduce", True),
    "gather": ("rank_gather", True),
    "scatter": ("scatter", True),
}


def has(library: Any, name: str, root: int) -> bool:
    """Whether a profile plays this collective among ranks, with this root."""
    method, rooted = _METHODS.get(name, ("", False))
    return hasattr(library, method or "nothing") and not (rooted and root)


def play(library: Any, name: str, paths: Paths, workers: Integers, start: Floats, call: Call) -> Timing:
    """Time a collective that `has` allows as the library does it."""
    sizes, begin = np.array(call.sizes_bytes), np.array(start)
    timed = getattr(library, _METHODS[name][0])
    among = (paths, workers, begin)
    timing: Timing
    if name in ("all_reduce", "reduce_scatter", "reduce"):
        timing = timed(*among, sizes, call.merged)
    elif name == "broadcast":
        timing = timed(*among, call.largest)
    elif name == "all_to_all":
        timing = timed(*among, np.where(np.eye(call.ranks, dtype=bool), 0.0, sizes[:, None]))
    else:
        timing = timed(*among, sizes)
    return timing
