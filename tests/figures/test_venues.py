"""Pages: widths, text, what is not known, and LaTeX where there is none."""

from __future__ import annotations

import re
import zlib

import pytest

from figures.__main__ import main
from figures.problems import FigureError
from figures.venues import DEFAULT, INCHES, SMALLEST, TEXT, page


@pytest.mark.parametrize(
    ("venue", "width", "inches"),
    [("neurips", "page", 5.5), ("icml", "column", 3.25), ("icml", "page", 6.75), ("ieee", "column", 3.5),
     ("ieee", "page", 7.16), ("acm", "column", 3.33), ("acm", "page", 7.0), ("talk", "column", 10.0)],
)  # fmt: skip
def test_widths_are_the_venues(venue, width, inches) -> None:
    at = page({"venue": venue, "width": width})
    assert at.inches == inches and at.small >= SMALLEST
    assert at.height == (5.625 if venue == "talk" else None) and (venue != "talk" or at.inches / at.height == 16 / 9)


def test_a_venue_for_every_text_and_a_default() -> None:
    assert set(TEXT) == set(INCHES) and page({}) == DEFAULT


@pytest.mark.parametrize(
    ("option", "told"),
    [("venue=nature", "venue: expected one of neurips, icml, ieee, acm, talk, got nature"),
     ("width=wide", "width: expected one of column, page, got wide"),
     ("latex=yes", "latex: expected one of true, false, got yes")],
)  # fmt: skip
def test_what_is_not_known_is_told_with_what_is(write_run, tmp_path, capsys, option, told) -> None:
    write_run("a")
    assert main(["accuracy", f"runs={tmp_path}/a", option, f"out={tmp_path}/out"]) == 1
    assert told in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_figures_are_as_wide_as_the_page_and_say_how_they_were_made(write_run, tmp_path) -> None:
    write_run("a b")
    asked = ["accuracy", f"runs={tmp_path}/a b", "x=time", "venue=ieee", f"out={tmp_path}/out"]
    assert main(asked) == 0
    png, pdf = ((tmp_path / f"out/accuracy_vs_time.{kind}").read_bytes() for kind in ("png", "pdf"))
    assert int.from_bytes(png[16:20], "big") == 700  # 3.5 inches at 200 dpi
    command = f"python -m figures accuracy 'runs={tmp_path}/a b' x=time venue=ieee out={tmp_path}/out"
    assert b"Command\0" + command.encode() in png
    assert command.encode() in pdf.replace(b"\\(", b"(").replace(b"\\)", b")")
    box = re.search(rb"/MediaBox \[\s*0 0 ([\d.]+)", pdf)
    assert box is not None and float(box[1]) == 3.5 * 72
    assert b"\nFontType" not in pdf and b"/Type3" not in pdf and b"/CIDFontType2" in pdf
    assert (tmp_path / "out/accuracy_vs_time.csv").read_text().startswith("panel,group,")  # numbers and nothing else


def test_without_latex_there_is_a_warning_and_a_figure(write_run, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("figures.venues.shutil.which", lambda program: None)
    write_run("a")
    assert main(["accuracy", f"runs={tmp_path}/a", "latex=true", f"out={tmp_path}/out"]) == 0
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "latex: expected latex and dvipng to be installed" in told
    plain = (tmp_path / "out/accuracy_vs_rounds.png").read_bytes()
    assert main(["accuracy", f"runs={tmp_path}/a", f"out={tmp_path}/plain"]) == 0
    again = (tmp_path / "plain/accuracy_vs_rounds.png").read_bytes()
    assert zlib.crc32(plain[plain.index(b"IDAT") :]) == zlib.crc32(again[again.index(b"IDAT") :])


def test_a_page_has_an_end() -> None:
    assert page({}).tall(20.0, 2.0) == (5.5, 9.0) and page({"venue": "talk"}).tall(3.0) == (10.0, 5.625)
    with pytest.raises(FigureError, match="neurips has room, 9 inches, got one of 9.5"):
        page({}).tall(9.5)
