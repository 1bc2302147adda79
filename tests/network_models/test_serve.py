"""A message of its own from the server to each worker: by hand, in both engines and libraries, and as a broadcast."""

from __future__ import annotations

import numpy as np
import pytest

from network_models import star
from simulator.collectives import timed

A, M, B = 2e-3, 1e6, 1e8
C = 8 * M / B


@pytest.mark.parametrize("mode", ["collapsed", "message"])
def test_unequal_messages_share_the_servers_link(mode: str) -> None:
    # M and 2 M bytes at B / 2 each until the first is through at 2 C; what is left of the second, M, at B
    net = star(3, B, B, A / 2, server_latency_s=A / 2, mode=mode)
    timing = net.serve([0, 2], [1.0, 1.0], 1.5, [M, 2 * M])
    assert timing.finish == pytest.approx([1.5 + A + 2 * C, 1.5 + A + 3 * C])
    assert timing.downlink == pytest.approx([A + 2 * C, A + 3 * C]) and not np.any(timing.uplink)
    assert net.wire_bytes == 3 * M and net.carried_bits.max() == 24 * M


@pytest.mark.parametrize("settings", [{}, {"mode": "message"}, {"profile": "gloo"}, {"profile": "nccl"}])
def test_equal_messages_are_a_broadcast(settings: dict[str, str]) -> None:
    one, two = (star(5, B, B, A / 2, server_latency_s=A / 2, **settings) for _ in range(2))
    start = np.linspace(0, 1e-3, 4)
    workers = [0, 1, 3, 4]
    served, sent = one.serve(workers, start, 2e-3, np.full(4, M)), two.broadcast(workers, start, 2e-3, M)
    assert served.finish.tolist() == sent.finish.tolist()
    assert one.carried_bits.tolist() == two.carried_bits.tolist()


@pytest.mark.parametrize("profile", ["gloo", "nccl"])
def test_a_library_sends_each_its_own(profile: str) -> None:
    net = star(2, B, B, A / 2, server_latency_s=A / 2, profile=profile)
    finish = net.serve([0, 1], [0.0, 0.0], 0.0, [M, 3 * M]).finish
    assert finish[0] < finish[1] and finish[1] == pytest.approx(A + 4 * C, rel=0.1)


def test_a_trace_names_it() -> None:
    net = star(2, B, B, A / 2, server_latency_s=A / 2)
    timing, server = timed(net, {"op": "scatter", "size": [1000, 2000]}, range(2), np.zeros(2), 0.25)
    assert server == 0.25 and timing.finish.tolist() == net.serve([0, 1], [0, 0], 0.25, [1000, 2000]).finish.tolist()


def test_sizes_are_checked() -> None:
    net = star(2, B, B, A / 2, server_latency_s=A / 2)
    with pytest.raises(ValueError, match="sizes_bytes: expected"):
        net.serve([0, 1], [0, 0], 0.0, [1.0])
