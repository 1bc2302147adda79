"""What a worker's time is spent on, and how each kind is drawn: in colour, and hatched for a printer without."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of time."""

    title: str
    colour: str
    hatch: str = ""


# Okabe and Ito's colours; what moves bytes is green and orange, what delays it vermilion, and idle time recedes.
KINDS = {
    "compute": Kind("gradients", "#0072B2"),
    "encode": Kind("compression", "#56B4E9", "...."),
    "uplink": Kind("transfer up", "#009E73"),
    "downlink": Kind("transfer down", "#E69F00", "\\\\\\\\"),
    "queue": Kind("queueing", "#D55E00", "////"),
    "wait": Kind("waiting", "#D9D9D9"),
    "away": Kind("away", "#CC79A7", "xxxx"),
    "server": Kind("server", "#4D4D4D"),
}


def time_unit(seconds: float) -> tuple[float, str]:
    """Choose the unit in which a duration is a handy number: how many of it a second has, and its name."""
    for per_second, name in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * per_second >= 0.5:
            return per_second, name
    return 1e9, "ns"
