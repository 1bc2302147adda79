"""Write a figure's files so that a reader never sees half of one: each is written aside, then renamed into place."""

from __future__ import annotations

import csv
import io
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from figures.curves import Curve
from figures.drawing import STYLE, Sheet

PNG_DPI = 200


def save_figure(figure: Figure, numbers: str, caption: str, folder: Path, name: str) -> list[Path]:
    """Write NAME.pdf, NAME.png and NAME.csv into `folder`; equal input gives equal bytes, so no date is stored.

    Returns
    -------
    list of Path
        The three files.

    Raises
    ------
    OSError
        If the folder cannot be written to; earlier files are then still whole.
    """
    pdf, png = io.BytesIO(), io.BytesIO()
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells each table of each font that it embeds
    with matplotlib.rc_context(STYLE):
        title = {"Title": name, "Subject": caption, "Creator": "bitclock", "CreationDate": None}
        figure.savefig(pdf, format="pdf", bbox_inches="tight", pad_inches=0.04, metadata=title)
        about = {"Title": name, "Description": caption}
        figure.savefig(png, format="png", dpi=PNG_DPI, bbox_inches="tight", pad_inches=0.04, metadata=about)
    files = {
        f"{name}.pdf": pdf.getvalue(),
        f"{name}.png": png.getvalue(),
        f"{name}.csv": numbers.encode("utf-8"),
    }
    return save(files, folder)


def curves_csv(curves: Sequence[Curve], sheet: Sheet) -> str:
    """Write the plotted numbers as CSV, a line per point, each number with all its digits."""
    y = sheet.y.column
    # Where rounds lie across, the column would come twice.
    across = [] if sheet.x.column == "round" else [sheet.x.column]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["panel", "group", "seeds", "band", "round", *across, f"{y}_mean", f"{y}_low", f"{y}_high"])
    for curve in curves:
        columns = [curve.rounds, *([curve.x] if across else []), curve.mean, curve.low, curve.high]
        for point in zip(*(column.tolist() for column in columns), strict=True):
            shown = [int(value) if value.is_integer() and at == 0 else repr(value) for at, value in enumerate(point)]
            writer.writerow([curve.panel, curve.label, curve.seeds, sheet.band, *shown])
    return text.getvalue()


def save(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write files into `folder`, which is made if need be: all contents first, then all renames."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = {folder / name: folder / f".{name}.{os.getpid()}.tmp" for name in files}
    try:
        for target, temporary in aside.items():
            temporary.write_bytes(files[target.name])
        for target, temporary in aside.items():
            os.replace(temporary, target)
    finally:
        for temporary in aside.values():
            temporary.unlink(missing_ok=True)
    return list(aside)
