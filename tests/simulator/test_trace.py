"""The trace's file: what goes in comes out, it can be cut back and tainted, and damage is named."""

from __future__ import annotations

import json
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from simulator.trace import Entry, Header, TraceWriter, read_trace

HEADER = Header(workers=3, batch=8, flops_per_step=12.5)
ENTRIES: list[Entry] = [
    {"op": "gradient", "step": 0},
    {"op": "gather", "size": [10, 11, 12]},
    {"op": "broadcast", "size": 9},
    {"op": "mark", "round": 1},
]


def written(path: Path, entries: list[Entry] = ENTRIES) -> Path:
    """Write a whole trace."""
    writer = TraceWriter(path, HEADER)
    for entry in entries:
        writer.append(entry)
    writer.close()
    return path


def contents(path: Path) -> tuple[Header, list[Entry]]:
    header, entries = read_trace(path)
    return header, list(entries)


numbers = st.integers(0, 2**53)
any_entry = st.fixed_dictionaries(
    {"op": st.text(max_size=5)}, optional={"size": st.one_of(numbers, st.lists(numbers)), "seconds": st.floats(0, 1e9)}
)


@settings(max_examples=25)  # each one forces a file to disk
@given(st.lists(any_entry, max_size=5))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, entries: list[Entry]) -> None:
    path = written(tmp_path_factory.mktemp("trace") / "trace.jsonl", entries)
    assert contents(path) == (HEADER, entries)
    assert len(path.read_bytes().splitlines()) == 1 + len(entries)


def test_resuming_cuts_what_came_after_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    writer = TraceWriter(path, HEADER)
    for entry in ENTRIES:
        writer.append(entry)
    length = writer.sync()
    assert length == path.stat().st_size
    writer.append({"op": "gradient", "step": 99, "why": "longer than what is written over it"})
    writer.close()

    writer = TraceWriter(path, HEADER, length)
    assert writer.sync() == length == path.stat().st_size
    writer.append({"op": "x"})
    writer.close()
    assert contents(path) == (HEADER, [*ENTRIES, {"op": "x"}])


def test_a_fresh_writer_forgets_the_old_file(tmp_path: Path) -> None:
    path = written(tmp_path / "trace.jsonl")
    written(path, ENTRIES[:1])
    assert contents(path) == (HEADER, ENTRIES[:1])


def test_taint_rewrites_the_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    writer = TraceWriter(path, HEADER)
    for entry in ENTRIES:
        writer.append(entry)
    writer.taint("ReceiveAny in server (async_sgd.py:71)")
    writer.append({"op": "mark", "round": 2})
    writer.close()
    header, entries = contents(path)
    assert header == Header(3, 8, 12.5, racy="ReceiveAny in server (async_sgd.py:71)")
    assert entries == [*ENTRIES, {"op": "mark", "round": 2}]


def test_a_second_shorter_taint_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    writer = TraceWriter(path, HEADER)
    writer.append(ENTRIES[0])
    writer.taint("a long reason " * 20)
    writer.taint("short")
    writer.close()
    header, entries = contents(path)
    assert header.racy == "short" and entries == ENTRIES[:1]


@pytest.mark.parametrize("line", ['{"op":"gath', "", "not json at all"])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = written(tmp_path / "trace.jsonl")
    with open(path, "a") as file:
        file.write(line + "\n")
    _, entries = read_trace(path)
    with pytest.raises(ValueError, match=rf"^run: .*{path.name}, line 6.*cut off"):
        list(entries)


@pytest.mark.parametrize("first", [None, "", "{}", '{"op":"gradient","step":0}', "]["])
def test_what_is_no_trace_is_refused(tmp_path: Path, first: str | None) -> None:
    path = tmp_path / "trace.jsonl"
    if first is not None:
        path.write_text(first + "\n")
    with pytest.raises(ValueError, match=r"^run: expected a folder with a readable trace, got .*trace\.jsonl"):
        read_trace(path)


def test_one_line_is_one_json_object(tmp_path: Path) -> None:
    lines = written(tmp_path / "trace.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines[1:]] == ENTRIES
    assert json.loads(lines[0])["racy"] is None and json.loads(lines[0])["version"] == 1
