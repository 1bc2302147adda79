"""A star whose workers come in classes, such as 80 % phones on LTE and 20 % homes on fibre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from network_models.fabric import Integers
from network_models.links import worker_count
from network_models.network import Network
from network_models.star import star
from network_models.units import real
from network_models.whole import whole


def class_star(
    workers: int, classes: Sequence[Mapping[str, Any]], seed: int = 1, name: str = "class_star", **network: Any
) -> Network:
    """Give each worker the link of its class.

    Parameters
    ----------
    workers : int
        n, at least 1.
    classes : sequence of mapping
        Each has a `share` of the workers, in [0, 1], all of them adding up to 1, and the settings of `star` that differ
        by class: `up_bps`, `down_bps`, `latency_s` and whatever else takes one value for each worker. All classes name
        the same settings.
    seed : int
        Of who belongs to which class, at least 0, and of what `star` draws. How many belong to each is exact: shares of
        n, rounded by largest remainders.
    name : str
        How reports call this network.
    **network
        Other settings, as for `star`.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        If shares do not add up to 1 or the classes do not name the same settings.
    """
    count = worker_count(workers)
    if not isinstance(classes, Sequence) or isinstance(classes, str):
        raise ValueError(f"network.classes: expected a list of classes, got {classes!r}")
    if not classes:
        raise ValueError("network.classes: expected at least one class, got none")
    for number, of in enumerate(classes):
        if not isinstance(of, Mapping):
            raise ValueError(f"network.classes[{number}]: expected a mapping of settings, got {of!r}")
    keys = [key for key in classes[0] if key not in ("share", "name")]
    for key in ("up_bps", "down_bps", "latency_s"):
        if key not in keys and key not in network:
            raise ValueError(f"network.classes[0].{key}: expected it in the classes or beside them, got neither")
    for number, of in enumerate(classes):
        if {key for key in of if key not in ("share", "name")} != set(keys):
            raise ValueError(f"network.classes[{number}]: expected the settings {', '.join(keys)}, got {', '.join(of)}")
    members = assigned(count, [of.get("share") for of in classes], seed)
    each: dict[str, Any] = {key: [classes[number][key] for number in members.tolist()] for key in keys}
    if twice := sorted(set(each) & set(network)):
        raise ValueError(f"network.{twice[0]}: expected it in the classes or beside them, got both")
    return star(workers=count, name=name, seed=seed, **each, **network)


def assigned(workers: int, shares: Sequence[Any], seed: int) -> Integers:
    """Draw the class of each worker, shape (workers,), with exact counts.

    Raises
    ------
    ValueError
        If a share is outside [0, 1] or they do not add up to 1.
    """
    for number, share in enumerate(shares):
        if not 0 <= real(share) <= 1:
            raise ValueError(f"network.classes[{number}].share: expected a number in [0, 1], got {share!r}")
    if abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"network.classes: expected shares that add up to 1, got {sum(shares):g}")
    exact = np.array(shares, dtype=np.float64) * workers
    counts = np.floor(exact + 1e-9).astype(np.int64)
    short = workers - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:short]] += 1
    rng = np.random.Generator(np.random.Philox(key=whole(seed, "network.seed", 0)))
    return rng.permutation(np.repeat(np.arange(len(shares)), counts))
