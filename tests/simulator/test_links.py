"""links.parquet and its summary: by hand, for links of many kinds, and against the metrics of whole runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from network_models import Network, star
from network_models.links import Links
from simulator.moment import Moment
from simulator.records import links
from simulator.records.links import LinkRecord
from tests.simulator.conftest import TOY, Command


def moment(seconds: float, bits: list[float]) -> Moment:
    return Moment(seconds, {}, np.array(bits))


def test_marks_and_utilisation_by_hand() -> None:
    # one worker: 0 up, server up, 0 down, server down; the server sends without a limit, which is no link to fill
    record = LinkRecord(star(1, 1000, 2000, 0, server_up_bps=float("inf"), server_down_bps=4000))
    record.note(1, moment(1.0, [500, 0, 100, 500]))
    record.note(2, moment(4.0, [3000, 0, 4000, 3000]))
    table = record.table()
    assert table.to_pydict() == {
        "round": [1, 1, 1, 2, 2, 2],
        "seconds": [1.0] * 3 + [4.0] * 3,
        "link": ["0 up", "0 down", "server down"] * 2,
        "capacity_bps": [1000.0, 2000.0, 4000.0] * 2,
        "carried_bits": [500.0, 100.0, 500.0, 3000.0, 4000.0, 3000.0],
    }
    # 3000 / (4 s x 1000), 4000 / (4 x 2000), 3000 / (4 x 4000)
    summary = record.summary()
    assert summary == {
        "mean_utilisation": pytest.approx((0.75 + 0.5 + 0.1875) / 3),
        "busiest": {"0 up": 0.75, "0 down": 0.5, "server down": 0.1875},
    }
    assert json.loads(json.dumps(summary)) == summary


def test_nothing_is_said_before_time_has_passed() -> None:
    record = LinkRecord(star(1, 1000, 1000, 0))
    assert record.summary() is None and len(record.table()) == 0
    record.note(0, moment(0.0, [0] * 4))
    assert record.summary() is None and len(record.table()) == 4


def test_a_half_duplex_link_is_one() -> None:
    rates = np.array([1000.0, 8000.0])
    fabric = Links(rates, rates.copy(), np.zeros(2), half_duplex=np.array([True, False]))
    record = LinkRecord(Network(fabric))
    record.note(1, moment(1.0, [700, 300, 0, 400]))
    assert record.table()["link"].to_pylist() == ["0 shared", "server up", "server down"]
    assert record.table()["carried_bits"].to_pylist() == [700, 300, 400]


def test_of_very_many_links_only_the_latest_mark_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "MANY", 3)
    record = LinkRecord(star(1, 1000, 1000, 0))
    for t in (1, 2, 3):
        record.note(t, moment(float(t), [t] * 4))
    assert record.table()["round"].to_pylist() == [3] * 4


@pytest.mark.parametrize("algorithm", ["topk", "fedavg", "sgd_allreduce", "async_sgd"])
def test_a_run_writes_what_its_messages_weighed(tmp_path: Path, command: Command, algorithm: str) -> None:
    code, _, err = command("simulator", f"algorithm={algorithm}", *TOY, f"hydra.run.dir={tmp_path}")
    assert code == 0, err
    table, metrics = (pq.read_table(tmp_path / f"{name}.parquet") for name in ("links", "metrics"))
    summary = json.loads((tmp_path / "summary.json").read_text())
    carried = dict(zip(table["link"].to_pylist(), table["carried_bits"].to_pylist(), strict=True))  # the last mark's
    assert sorted(set(table["round"].to_pylist())) == metrics["round"].to_pylist()
    up = sum(bits for link, bits in carried.items() if link.endswith(" up") and not link.startswith("server"))
    sent = 8 * metrics["uplink_wire_bytes"].to_pylist()[-1]
    if algorithm == "sgd_allreduce":  # a ring of four sends 2 x 3/4 of a payload from each
        assert up == pytest.approx(1.5 * sent)
    elif algorithm == "async_sgd":  # counted when sent, carried when delivered: one message each may be under way
        assert sent * 0.8 <= up <= sent and carried["server down"] == pytest.approx(up)
    else:
        assert up == sent == carried["server down"]
        assert carried["server up"] == 8 * metrics["downlink_wire_bytes"].to_pylist()[-1]
    assert 0 < summary["links"]["mean_utilisation"] <= max(summary["links"]["busiest"].values()) <= 1 + 1e-9


def test_of_a_run_every_time_adds_up(tmp_path: Path, command: Command) -> None:
    command("simulator", "algorithm=qsgd", *TOY, "network=lte", "network.server_down_bps=1e6", "stragglers=pareto",
            f"hydra.run.dir={tmp_path}")  # fmt: skip
    for row in pq.read_table(tmp_path / "timeline.parquet").to_pylist():
        spent = {key.removesuffix("_s"): np.array(value) for key, value in row.items() if isinstance(value, list)}
        whole = spent["compute"] + spent["encode"] + spent["queue"] + spent["transfer"] + spent["waiting"]
        np.testing.assert_allclose(whole, row["seconds"], rtol=1e-9)
        assert (spent["queue"] > 0).all() and (spent["queue"] <= spent["uplink"] + spent["downlink"]).all()
