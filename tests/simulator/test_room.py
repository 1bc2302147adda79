"""Where state lives changes no bit, leaves nothing behind, and is an error where there is no room."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from simulator.room import in_file, on_host, room
from tests.running import run


def test_memory_in_a_file_is_zeros_that_can_be_written_and_has_no_name(tmp_path: Path) -> None:
    made = in_file(tmp_path / "scratch", 3, 5, torch.bfloat16)
    assert made.shape == (3, 5) and made.dtype == torch.bfloat16 and not made.any()
    assert list((tmp_path / "scratch").iterdir()) == []
    made[1] = 7
    other = in_file(tmp_path / "scratch", 3, 5, torch.bfloat16)
    assert not other.any() and made.float().sum() == 35
    assert in_file(tmp_path, 0, 5, torch.float32).shape == (0, 5)


def test_it_is_really_on_disk(tmp_path: Path) -> None:
    before = os.statvfs(tmp_path).f_bfree * os.statvfs(tmp_path).f_frsize
    made = in_file(tmp_path, 64, 1 << 20, torch.float32)
    after = os.statvfs(tmp_path).f_bfree * os.statvfs(tmp_path).f_frsize
    assert before - after > 200e6 and made.numel() == 64 << 20


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"state_on: expected .* GB free in .*, got .*"):
        in_file(tmp_path, 1 << 20, 1 << 28, torch.float32)
    assert list(tmp_path.iterdir()) == []


def test_names() -> None:
    assert room("memory", Path()) is None and room("host", Path()) is on_host
    for wrong in ("disk", "file:", "host:a", ""):
        with pytest.raises(ValueError, match="state_on: expected memory, file, file:FOLDER or host"):
            room(wrong, Path())


@pytest.mark.parametrize("algorithm", ["topk", "sbc1", "fedavg", "qsgd"])
def test_a_run_in_a_file_is_the_run_in_memory(tmp_path: Path, algorithm: str) -> None:
    options = [f"algorithm={algorithm}", "workers=6", "rounds=5", "eval_every=2", "chunk=2"]
    elsewhere = tmp_path / "elsewhere"
    there, whole = run(tmp_path / "file", *options, f"state_on='file:{elsewhere}'")
    assert whole["digest"] == run(tmp_path / "memory", *options)[1]["digest"]
    assert elsewhere.is_dir() and list(elsewhere.iterdir()) == [] and there.folder.complete
    names = {path.name for path in (tmp_path / "file").iterdir()}
    assert names == {path.name for path in (tmp_path / "memory").iterdir()}
