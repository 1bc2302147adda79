"""The command that runs claims: what it refuses, and that one claim without its data does not stop the others."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from benchmarks.claims import __main__ as command
from benchmarks.claims import outcome
from benchmarks.claims.dropping_translation import corpus
from benchmarks.claims.outcome import Outcome

NAMES = ("train.de", "train.en", "test_2016_flickr.de", "test_2016_flickr.en")


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A computer without data, and with an empty page."""
    monkeypatch.setenv("BITCLOCK_DATA", str(tmp_path / "given"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(outcome, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(command, "PAGE", tmp_path / "page.md")
    return tmp_path


def write(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in NAMES[:2]:
        (folder / name).write_text("a\n", encoding="utf-8")
    for name in NAMES[2:]:
        (folder / f"{name}.gz").write_bytes(gzip.compress(b"a\n"))


def test_the_given_folder_comes_before_the_cache(nowhere: Path) -> None:
    write(nowhere / "cache" / "bitclock" / "multi30k")
    assert {path.parent for path in corpus().values()} == {nowhere / "cache" / "bitclock" / "multi30k"}
    write(nowhere / "given" / "multi30k")
    found = corpus()
    assert {path.parent for path in found.values()} == {nowhere / "given" / "multi30k"}
    assert {key: path.name for key, path in found.items()} == {
        "train_source": "train.de",
        "train_target": "train.en",
        "test_source": "test_2016_flickr.de.gz",
        "test_target": "test_2016_flickr.en.gz",
    }


def test_what_is_missing_is_said_in_one_line_and_the_rest_goes_on(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {"dropping_translation": command.CLAIMS["dropping_translation"], "z": lambda: Outcome("z", "P", "c", "s")}
    monkeypatch.setattr(command, "CLAIMS", other)
    assert command.main([]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("claims: dropping_translation: expected train.de, train.en, test_2016_flickr.de, ")
    assert str(nowhere / "given" / "multi30k") in line and "BITCLOCK_DATA" in line
    assert "## z" in (nowhere / "page.md").read_text(encoding="utf-8")


def test_unknown_names_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["nonsense"]) == 1
    assert "expected some of dropping_timing, " in capsys.readouterr().err
