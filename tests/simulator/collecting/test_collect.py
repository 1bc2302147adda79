"""The joined table: what is in it, what its columns are, and what is left out."""

from __future__ import annotations

import importlib
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from simulator.collect import collect
from simulator.collect.table import one_type
from simulator.records.folder import RunFolderError
from tests.simulator.conftest import TOY, Command


def write(folder: Path, config: dict[str, Any], summary: dict[str, Any] | None = None, **timeline: Any) -> Path:
    """Write a finished run of two marks by hand."""
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump({"seed": 1, "rounds": 2} | config))
    metrics = {"round": [1, 2], "loss": [2.0, 1.0], "accuracy": pa.array([None, 0.5], pa.float64())}
    pq.write_table(pa.table(metrics), folder / "metrics.parquet")
    clock = {"round": [1, 2], "seconds": [0.5, 1.5], "compute_s": [[0.1, 0.3], [0.2, 0.6]]}
    pq.write_table(pa.table(clock | timeline), folder / "timeline.parquet")
    content = {"complete": True, "digest": "d", "simulated_seconds": 1.5, "racy": False}
    (folder / "summary.json").write_text(json.dumps(content | (summary or {})))
    return folder


def test_a_row_for_each_run_and_mark(tmp_path: Path) -> None:
    told = {"waiting": {"mean_s": 0.1}, "staleness": {"0": 3, "1": 4}, "links": {"busiest": {"0 up": 0.5}}}
    write(tmp_path / "b", {"algorithm": {"name": "topk", "density": 0.1}, "widths": [3, 2]}, told)
    write(tmp_path / "a", {"algorithm": {"name": "sgd"}, "widths": [4, 2]})
    rows = {(Path(row["run"]).name, row["round"]): row for row in collect([f"{tmp_path}/*"]).to_pylist()}
    assert set(rows) == {("a", 1), ("a", 2), ("b", 1), ("b", 2)}
    row = rows["b", 2]
    assert (row["loss"], row["accuracy"], row["seconds"]) == (1.0, 0.5, 1.5)
    assert row["compute_mean_s"] == pytest.approx(0.4) and row["compute_max_s"] == 0.6
    assert (row["config.algorithm.name"], row["config.algorithm.density"]) == ("topk", 0.1)
    assert row["config.widths"] == "[3, 2]"
    assert (row["summary.digest"], row["summary.racy"], row["summary.waiting.mean_s"]) == ("d", False, 0.1)
    # what is keyed by data is one column, however much there is of it
    assert json.loads(row["summary.staleness"]) == {"0": 3, "1": 4}
    assert json.loads(row["summary.links.busiest"]) == {"0 up": 0.5}
    assert rows["a", 1]["config.algorithm.density"] is None and rows["a", 1]["summary.staleness"] is None


def test_the_order_follows_configurations_not_folders(tmp_path: Path) -> None:
    configs = [{"workers": count} for count in range(6)]
    for at, config in enumerate(configs):
        write(tmp_path / "one" / str(at), config)
        write(tmp_path / "other" / str(9 - at), config)
    one, other = (collect([str(tmp_path / name)]) for name in ("one", "other"))
    assert one.drop_columns("run").equals(other.drop_columns("run"))
    assert one["config_hash"].to_pylist() == sorted(one["config_hash"].to_pylist())


@pytest.mark.parametrize(
    ("values", "kind", "column"),
    [
        ([1, 2, None], pa.int64(), [1, 2, None]),
        ([1, 0.5], pa.float64(), [1.0, 0.5]),
        ([2**63, 1], pa.float64(), [2.0**63, 1.0]),
        ([True, None], pa.bool_(), [True, None]),
        ([True, 1], pa.string(), ["true", "1"]),
        (["all", 0.5, None], pa.string(), ["all", "0.5", None]),
        ([None, None], pa.float64(), [None, None]),
    ],
)
def test_columns_have_sane_types(values: list[Any], kind: pa.DataType, column: list[Any]) -> None:
    array = one_type(values)
    assert array.type == kind and array.to_pylist() == column


def test_metrics_that_older_runs_lack_are_null(tmp_path: Path) -> None:
    write(tmp_path / "old", {"workers": 1})
    write(tmp_path / "new", {"workers": 2}, hidden_s=[[0.0], [1.0]])
    table = collect([str(tmp_path)])
    assert table.schema.field("hidden_max_s").type == pa.float64()
    assert {(Path(row["run"]).name, row["hidden_max_s"]) for row in table.to_pylist()} == {
        ("old", None), ("new", 0.0), ("new", 1.0)
    }  # fmt: skip


def test_metrics_of_different_types_become_text(tmp_path: Path) -> None:
    write(tmp_path / "a", {"workers": 1}, note=["low", "high"])
    write(tmp_path / "b", {"workers": 2}, note=[1.5, 2.5])
    assert {row["note"] for row in collect([str(tmp_path)]).to_pylist()} == {"low", "high", "1.5", "2.5"}


def test_half_written_and_damaged_runs_are_named_once(tmp_path: Path, command: Command) -> None:
    for name in ("good", "half", "no_timeline", "damaged", "other_marks", "failed", "no_config"):
        write(tmp_path / name, {"name": name})
    (tmp_path / "half" / "summary.json").unlink()
    (tmp_path / "no_timeline" / "timeline.parquet").unlink()
    damaged = tmp_path / "damaged" / "metrics.parquet"
    damaged.write_bytes(damaged.read_bytes()[:40])
    pq.write_table(pa.table({"round": [1], "seconds": [0.5]}), tmp_path / "other_marks" / "timeline.parquet")
    shutil.rmtree(tmp_path / "failed")
    (tmp_path / "failed").mkdir()
    (tmp_path / "failed" / "failed.json").write_text('{"error": "no luck", "when": "now"}')
    (tmp_path / "no_config" / "config.yaml").write_text("- 1\n")
    code, out, err = command(
        "simulator.collect", f"{tmp_path}/*", str(tmp_path / "half"), f"out={tmp_path / 't.parquet'}"
    )
    assert code == 0 and "1 runs, 2 rows" in out
    told = dict(line.removeprefix(f"warning: left out {tmp_path}/").split(": ", 1) for line in err.splitlines())
    assert set(told) == {"half", "no_timeline", "damaged", "other_marks", "failed", "no_config"}
    assert told["half"] == "half-written" and told["failed"] == "failed: no luck"
    assert "no such file" in told["no_timeline"] and "damaged" in told["damaged"]
    assert "different marks" in told["other_marks"] and "config.yaml" in told["no_config"]


def test_nothing_to_collect_is_one_message(tmp_path: Path, command: Command) -> None:
    (tmp_path / "notes").mkdir()
    write(tmp_path / "half", {})
    (tmp_path / "half" / "summary.json").unlink()
    for arguments, told in (
        ([f"{tmp_path}/nope*"], "which matches nothing in"),
        ([f"{tmp_path}/notes"], "matches without a run"),
        ([f"{tmp_path}/half"], "half-written"),
        ([], "runs: expected a pattern of run folders"),
        ([f"{tmp_path}/*", "into=x"], "into: expected one of runs, out, seeds"),
        ([f"{tmp_path}/*", "seeds=some"], "seeds: expected one of each, mean, got 'some'"),
    ):
        code, out, err = command("simulator.collect", *arguments)
        assert code == 1 and told in err and len(err.splitlines()) == 1 and not out


def test_a_run_that_two_patterns_match_comes_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "sweep" / "run", {})
    monkeypatch.chdir(tmp_path)
    assert len(collect(["sweep", "sweep/*", str(tmp_path / "sweep" / "run"), "**/run"])) == 2


def test_two_runs_of_one_configuration_both_come(tmp_path: Path) -> None:
    write(tmp_path / "first", {})
    write(tmp_path / "again", {})
    assert len(collect([str(tmp_path)])) == 4


@pytest.mark.parametrize("reader", ["duckdb", "pandas", "polars"])
def test_a_real_sweep_is_read_by_others(tmp_path: Path, command: Command, reader: str) -> None:
    library = pytest.importorskip(reader)
    command("simulator", "-m", "algorithm=sgd,async_sgd", *TOY, f"hydra.sweep.dir={tmp_path / 'sweep'}")
    code, _, err = command("simulator.collect", str(tmp_path / "sweep"), f"out={tmp_path / 'tables' / 'all.parquet'}")
    path = str(tmp_path / "tables" / "all.parquet")
    assert code == 0, err
    query = (
        f"""select "config.algorithm.name", max(seconds), max("summary.uplink_wire_bytes") from '{path}' group by 1"""
    )
    if reader == "duckdb":
        found = library.sql(query).fetchall()
    else:
        frame = library.read_parquet(path)
        key, columns = "config.algorithm.name", ["seconds", "summary.uplink_wire_bytes"]
        if reader == "pandas":
            found = list(frame.groupby(key)[columns].max().itertuples(name=None))
        else:
            found = frame.group_by(key).agg(library.col(columns).max()).rows()
    summaries = [json.loads(file.read_text()) for file in tmp_path.glob("sweep/*/summary.json")]
    assert sorted(found)[0][0] == "async_sgd" and len(found) == 2
    assert {row[1:] for row in found} == {(s["simulated_seconds"], s["uplink_wire_bytes"]) for s in summaries}


def test_the_package_names_its_two_functions() -> None:
    assert importlib.import_module("simulator.collect").__all__ == ["collect", "grouped"]
    with pytest.raises(RunFolderError, match="matches nothing"):
        collect(["/nowhere/*"])
