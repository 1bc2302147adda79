"""The files themselves: whole or absent, alike when repeated, with real fonts, printable sizes and telling styles."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from figures import saving
from figures.__main__ import main
from figures.charts import ACCURACY, BITS
from figures.curves import Curve, Sheet
from figures.drawing import draw
from figures.looks import COLOURS, DASHES, MARKERS

SHEET = Sheet(ACCURACY, BITS["uplink"], "log", "minmax", "mini")


def curve(panel: str, label: str, seeds: int = 3) -> Curve:
    x = np.geomspace(1e3, 1e7, 20)
    mean = np.linspace(0.2, 0.8, 20)
    return Curve(panel, label, label.split(",")[0], seeds, np.arange(20.0), x, mean, mean - 0.05, mean + 0.05)


def test_pdf_png_and_csv_are_written_and_nothing_else(write_run, tmp_path, capsys) -> None:
    write_run("a", seed=1)
    write_run("b", seed=2)
    out = tmp_path / "deep/out"
    assert main(["accuracy_vs_bits", f"runs={tmp_path}/?", f"out={out}"]) == 0
    names = ["accuracy_vs_bits.csv", "accuracy_vs_bits.pdf", "accuracy_vs_bits.png"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert sorted(capsys.readouterr().out.split()) == [str(out / name) for name in names]

    pdf = (out / "accuracy_vs_bits.pdf").read_bytes()
    assert b"/CIDFontType2" in pdf and b"/Type3" not in pdf  # how a Type 42 font is embedded in a PDF
    png = (out / "accuracy_vs_bits.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert "min–max band over 2 seeds".encode() in png  # the caption says what the band is
    physical = png.index(b"pHYs") + 4
    assert round(int.from_bytes(png[physical : physical + 4], "big") * 0.0254) == 200
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    assert width == 1100 and 500 < height < 900  # NeurIPS' text is 5.5 inches wide


def test_equal_runs_give_equal_bytes(write_run, tmp_path) -> None:
    write_run("a")
    contents = []
    for _ in range(2):
        assert main(["accuracy_vs_time", f"runs={tmp_path}/a", f"out={tmp_path}/out"]) == 0
        contents.append([path.read_bytes() for path in sorted((tmp_path / "out").iterdir())])
    assert contents[0] == contents[1]


def test_a_failed_write_leaves_the_earlier_figure(tmp_path, monkeypatch) -> None:
    saving.save({"a.csv": b"old", "a.pdf": b"old"}, tmp_path)

    write = Path.write_bytes

    def full_disk(path: Path, data: bytes) -> int:
        if "pdf" in path.name:
            write(path, data[:1])
            raise OSError("No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space"):
        saving.save({"a.csv": b"new", "a.pdf": b"new"}, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.csv": b"old", "a.pdf": b"old"}


def test_an_unwritable_folder_is_one_message(write_run, tmp_path, capsys) -> None:
    write_run("a")
    (tmp_path / "file").write_text("in the way")
    assert main(["accuracy_vs_bits", f"runs={tmp_path}/a", f"out={tmp_path}/file"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_lines_differ_without_colour() -> None:
    figure = draw([curve("", f"method {number}") for number in range(35)], SHEET)
    lines = figure.axes[0].get_lines()
    looks = {(str(line.get_linestyle()), line.get_marker(), str(line._dash_pattern)) for line in lines}
    assert len(looks) == 35
    assert len(DASHES) >= 5 and len(MARKERS) >= 10 and len(set(COLOURS)) == len(COLOURS)


def test_colours_keep_their_distance_from_white() -> None:
    luminance = [float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722))) for colour in COLOURS]
    assert max(luminance) < 0.72


@pytest.mark.parametrize(("panels", "long"), [(1, False), (1, True), (2, False), (3, True), (5, False)])
def test_no_text_is_clipped_or_covered(panels: int, long: bool) -> None:
    labels = [f"method {number}{', a_rather_long_setting=0.0001' * long}" for number in range(7)]
    curves = [curve(f"network {panel}", label) for panel in range(panels) for label in labels]
    figure = draw(curves, SHEET)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    page = figure.bbox
    legend = figure.legends[0].get_window_extent(canvas.get_renderer())
    boxes = [axes.get_tightbbox(canvas.get_renderer()) for axes in figure.axes]
    assert len(boxes) == panels
    for box in (legend, *boxes):
        assert box.x0 >= page.x0 - 1 and box.x1 <= page.x1 + 1 and box.y0 >= page.y0 - 1 and box.y1 <= page.y1 + 1
    assert all(box.y0 >= legend.y1 - 1 for box in boxes)
    for axes in figure.axes:
        assert axes.get_window_extent().height > 0.4 * page.height / -(-panels // 3) or long


def test_the_note_says_what_the_lines_are() -> None:
    assert SHEET.band_note([curve("", "a", 1)]) == ""
    assert SHEET.band_note([curve("", "a", 3)]) == "mean and min–max band over 3 seeds"
    assert SHEET.band_note([curve("", "a", 1), curve("", "b", 3)]) == "mean and min–max band over 1–3 seeds"
    caption = SHEET.caption([curve("", "a", 1)])
    assert re.fullmatch(r"Test accuracy on mini against uplink .*one run per line\.", caption)
