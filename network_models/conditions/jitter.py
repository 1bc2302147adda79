"""Random extra latency, counter-based: a hash of the seed, the two ends and the message's key, so no draw depends on
the order in which messages are asked for.

References
----------
Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014 (the mixing function of splitmix64).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from network_models.conditions.steps import Floats
from network_models.units import seconds

Integers = npt.NDArray[np.int64]

Words = npt.NDArray[np.uint64]


def mixed(word: Words) -> Words:
    """Scatter the bits of each word, one to one."""
    with np.errstate(over="ignore"):
        word = word + np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return word ^ (word >> np.uint64(31))


def uniform(seed: int, *counters: Integers | int) -> Floats:
    """Draw from (0, 1), elementwise: the same arguments give the same draw."""
    word = mixed(np.array(seed % (1 << 64), dtype=np.uint64))
    for counter in counters:
        word = mixed(word ^ np.asarray(counter, dtype=np.int64).astype(np.uint64))
    return np.asarray((word >> np.uint64(12)).astype(np.float64) * 2.0**-52 + 2.0**-53)


class Jitter:
    """Add a random delay to the latency of every message; the messages of a channel stay in order all the same.

    Parameters
    ----------
    jitter_s : float or str
        Mean of the extra delay.
    distribution : {'uniform', 'exponential', 'lognormal'}
        Uniform from 0 to twice the mean; exponential; lognormal with sigma = 1.
    seed : int
        Another seed gives other draws.
    """

    known: ClassVar[dict[str, Callable[[Floats, Floats], Floats]]]

    def __init__(self, jitter_s: float | str, distribution: str = "exponential", seed: int = 0) -> None:
        self.mean_s, self.seed = seconds(jitter_s, "network.jitter_s"), seed
        if not isinstance(distribution, str) or distribution not in self.known:
            raise ValueError(f"network.jitter: expected one of {', '.join(self.known)}, got {distribution!r}")
        self.distribution = distribution

    def delay_s(self, source: Integers | int, destination: Integers | int, key: int) -> Floats:
        """Seconds to add to the latency of each message, elementwise."""
        first = uniform(self.seed, source, destination, key, 0)
        second = uniform(self.seed, source, destination, key, 1)
        return self.mean_s * self.known[self.distribution](first, second)


def _lognormal(first: Floats, second: Floats) -> Floats:
    """Of mean 1 and sigma 1, from a normal draw (Box and Muller's)."""
    normal = np.sqrt(-2.0 * np.log(first)) * np.cos(2.0 * np.pi * second)
    return np.asarray(np.exp(normal - 0.5))


Jitter.known = {
    "uniform": lambda first, second: 2.0 * first,
    "exponential": lambda first, second: -np.log(first),
    "lognormal": _lognormal,
}
