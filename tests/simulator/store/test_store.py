"""The store of trajectories: whole or absent, digests, what is set aside and pruned."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from simulator.records.folder import RunFolder
from simulator.store import Damaged, Store
from simulator.store.__main__ import main
from tests.running import run

KEY = "ab" * 32


@pytest.fixture
def finished(tmp_path: Path) -> RunFolder:
    run(tmp_path / "run", "workers=2", "rounds=3")
    return RunFolder(tmp_path / "run")


@pytest.fixture
def store(tmp_path: Path, finished: RunFolder) -> Store:
    store = Store(tmp_path / "store")
    store.put(KEY, finished)
    return store


def test_an_entry_holds_the_trajectory_and_no_clock(store: Store, finished: RunFolder) -> None:
    entry = store.get(KEY)
    assert entry is not None and entry.complete and store.keys() == [KEY]
    for name in ("config.yaml", "metrics.parquet", "trace.jsonl"):
        assert (entry.path / name).read_bytes() == (finished.path / name).read_bytes()
    assert not {"simulated_seconds", "links", "waiting"} & set(entry.read_json("summary"))
    assert not (entry.path / "timeline.parquet").exists()


@pytest.mark.parametrize("name", ["metrics.parquet", "trace.jsonl", "summary.json", "config.yaml", "digests.json"])
@pytest.mark.parametrize("harm", ["cut", "flip", "remove"])
def test_a_damaged_entry_is_set_aside_and_absent(
    store: Store, name: str, harm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = store.entry(KEY).path / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink() if harm == "remove" else path.write_bytes(content if harm == "flip" else content[:-3])
    with pytest.raises(Damaged, match=name if name != "digests.json" else "expected"):
        store.verify(KEY)
    assert store.get(KEY) is None and store.keys() == []
    assert "set aside in" in capsys.readouterr().err
    assert len(list((store.root / "damaged").iterdir())) == 1


def test_a_failed_copy_leaves_nothing(store: Store, finished: RunFolder) -> None:
    finished.trace.unlink()
    with pytest.raises(OSError):
        store.put("cd" * 32, finished)
    assert store.keys() == [KEY] and len(list((store.root / "entries").iterdir())) == 1


def test_the_first_of_two_equal_ones_stays(store: Store, finished: RunFolder) -> None:
    before = (store.entry(KEY).path / "digests.json").stat().st_mtime_ns
    store.put(KEY, finished)
    assert (store.entry(KEY).path / "digests.json").stat().st_mtime_ns == before


def test_the_command_lists_verifies_and_prunes(
    store: Store, finished: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = f"folder={store.root}"
    store.put("cd" * 32, finished)
    past = time.time() - 10 * 86400
    os.utime(store.entry(KEY).path, (past, past))
    assert main(["list", folder]) == 0
    out = capsys.readouterr().out
    assert KEY[:12] in out and "quadratic" in out and "10.0" in out
    assert main(["verify", folder]) == 0 and "2 whole, 0 damaged" in capsys.readouterr().out
    assert main(["prune", folder, "algorithm=topk"]) == 0 and len(store.keys()) == 2
    assert main(["prune", folder, "days=5"]) == 0 and store.keys() == ["cd" * 32]
    (store.entry("cd" * 32).path / "trace.jsonl").write_text("{}")
    assert main(["verify", folder]) == 1 and store.keys() == []
    assert main(["prune", folder, "damaged=true"]) == 0 and not (store.root / "damaged").exists()


def test_prune_keeps_the_youngest_that_fit(store: Store, finished: RunFolder) -> None:
    store.put("cd" * 32, finished)
    past = time.time() - 86400
    os.utime(store.entry("cd" * 32).path, (past, past))
    assert main(["prune", f"folder={store.root}", f"gigabytes={1.5 * store.size(KEY) / 1e9}"]) == 0
    assert store.keys() == [KEY]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["erase"], "command: expected one of list, verify, prune, got 'erase'"),
        (["prune"], "prune: expected at least one of"),
        (["prune", "days=soon"], "days: expected a number of at least 0, got 'soon'"),
        (["list", "days=1"], "days: expected one of folder"),
    ],
)
def test_bad_input_is_refused(arguments: list[str], message: str, store: Store) -> None:
    with pytest.raises(ValueError, match=message):
        main([*arguments, f"folder={store.root}"])
    assert store.keys() == [KEY]


def test_a_racy_trajectory_is_noted(store: Store) -> None:
    assert store.racy(KEY) is None
    store.mark_racy(KEY, "ReceiveAny in server")
    assert store.racy(KEY) == "ReceiveAny in server"
    assert json.loads((store.root / "racy" / f"{KEY}.json").read_text()) == {"because": "ReceiveAny in server"}
