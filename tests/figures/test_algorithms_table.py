"""The table of algorithms: by hand from files, and from runs of the real ones."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from figures.__main__ import main
from figures.algorithms_table import HEADER, probe, tabulate_algorithms
from figures.problems import FigureError
from figures.runs import read_run

ROUND = [
    {"op": "gradient"},
    {"op": "gradient"},
    {"op": "gather"},
    {"op": "broadcast"},
    {"op": "gather"},
    {"op": "gather"},
]


def told(write_run, name: str = "a", trace: list[dict] | None = None, **more) -> Path:
    """A run of 2 workers and 5 coordinates whose last interval is 10 rounds: 400 bits up are 4 per coordinate."""
    summary = {"coordinates": 5, "memory": {"worker": 10, "server": 5}}
    folder = write_run(name, summary=summary, **more)
    bits = {"uplink_wire_bits": [0.0, 9.0, 409.0], "uplink_wire_indices_bits": [0.0, 0.0, 50.0]}
    bits |= {"downlink_wire_bits": [0.0, 0.0, 3200.0], "uplink_paper_bits": [0.0, 100.0, 300.0]}
    pq.write_table(
        pa.table({**pq.read_table(folder / "metrics.parquet").to_pydict(), **bits}), folder / "metrics.parquet"
    )
    entries = [{"workers": 2}, {"op": "mark", "round": 10}, *(trace or ROUND), {"op": "mark", "round": 20}]
    (folder / "trace.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return folder


def test_a_row_by_hand(write_run) -> None:
    row = dict(zip(HEADER, tabulate_algorithms([read_run(told(write_run, algorithm="topk"))]).rows[0], strict=True))
    assert row["paper"] == "Stich et al. 2018" and row["other routes"] == "all_gather"
    assert row["local steps"] == "2" and row["a round's phases"] == "gather, broadcast, 2 × gather"
    assert (row["up (bit)"], row["its indices"], row["by the paper"], row["down (bit)"]) == ("4", "0.5", "2", "32")
    assert (row["memory of a worker"], row["of the server"]) == ("2", "1")


def test_programs_that_talk_by_messages_are_counted_over_the_whole_run(write_run) -> None:
    row = dict(
        zip(
            HEADER,
            tabulate_algorithms([read_run(told(write_run, trace=[{"op": "send", "process": 0}]))]).rows[0],
            strict=True,
        )
    )
    assert row["a round's phases"] == "messages" and row["down (bit)"] == "16"  # 3,200 over 20 rounds


def test_runs_of_an_older_version_are_refused(write_run) -> None:
    with pytest.raises(FigureError, match="expected two marks and the model's size"):
        tabulate_algorithms([read_run(write_run("old"))])


def test_real_algorithms(tmp_path: Path) -> None:
    rows = tabulate_algorithms(probe(tmp_path, ("sgd", "topk", "signsgd_vote", "ssp"))).rows
    table = {row[0]: dict(zip(HEADER, row, strict=True)) for row in rows}
    assert table["sgd"]["up (bit)"] == table["sgd"]["down (bit)"] == "32"
    assert float(table["topk"]["up (bit)"]) < 0.5 and table["topk"]["memory of a worker"] == "1"
    assert table["signsgd_vote"]["by the paper"] == "1" and table["ssp"]["paper"] == "Ho et al. 2013"


def test_an_algorithm_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(FigureError, match="expected every algorithm to run"):
        probe(tmp_path, ("nonesuch",))


def test_the_command_writes_it(write_run, tmp_path: Path, capsys) -> None:
    folder = told(write_run, algorithm="topk")
    assert main(["algorithms_table", f"runs={folder}", f"out={tmp_path}/out"]) == 0
    assert (tmp_path / "out/algorithms_table.md").read_text() == capsys.readouterr().out
