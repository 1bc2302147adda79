"""A star: n workers and a server, each with one link to a switch that itself never limits."""

from __future__ import annotations

from typing import Any

from network_models.conditions.assembled import Conditions
from network_models.links import PerWorker, star_links
from network_models.network import Network


def star(
    workers: int,
    up_bps: PerWorker,
    down_bps: PerWorker,
    latency_s: PerWorker,
    server_up_bps: float | str | None = None,
    server_down_bps: float | str | None = None,
    server_latency_s: float | str | None = 0.0,
    name: str = "star",
    **settings: Any,
) -> Network:
    """A network in which every node has one link to a switch that itself never limits.

    Parameters
    ----------
    workers : int
        n, at least 1; numbered 0..n-1.
    up_bps, down_bps : float, str or sequence of n of them
        Rate of each worker's link, out of it and into it: bits/s, or a string such as `'100 Mbit/s'`. More is faster.
    latency_s : float, str or sequence of n of them
        One-way latency of each worker's own link: seconds, or a string such as `'40 ms'`. A path takes both ends'
        latencies.
    server_up_bps, server_down_bps : float or str, optional
        The server's link; by default the largest of the workers' values.
    server_latency_s : float or str, optional
        Its latency, by default 0; None for the largest of the workers' values.
    name : str
        How reports call this network.
    **settings
        As for `Conditions` (traces, outages, other traffic, jitter, loss, half duplex) and `Network`.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        If a setting is not one of the above, naming it.

    Notes
    -----
    A lone flow takes latency + bits / min(up, down); flows share links max-min fairly.
    """
    links = star_links(workers, up_bps, down_bps, latency_s, server_up_bps, server_down_bps, server_latency_s)
    conditions = Conditions.taken_from(settings)
    return Network(conditions.of(links), jitter=conditions.delays(), name=name, **settings)
