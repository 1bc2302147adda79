"""Write a figure's files so that a reader never sees half of one: each is written aside, then renamed into place."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from figures.latex import set_by_latex
from figures.venues import Page

PNG_DPI = 200


def save_figure(
    figure: Figure, numbers: str, caption: str, page: Page, command: str, folder: Path, name: str
) -> list[Path]:
    """Write NAME.pdf, NAME.png and NAME.csv into `folder`; equal input gives equal bytes, so no date is stored.

    The figure is as wide as the page, to the pixel. The caption and the command that makes the figure travel in the
    PDF's Subject and Keywords and the PNG's Description and Command; the CSV is nothing but the numbers.

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
    with matplotlib.rc_context(page.style):
        if page.latex:
            set_by_latex(figure)
        title = {"Title": name, "Subject": caption, "Keywords": command, "Creator": "bitclock", "CreationDate": None}
        figure.savefig(pdf, format="pdf", metadata=title)
        about = {"Title": name, "Description": caption, "Command": command}
        figure.savefig(png, format="png", dpi=PNG_DPI, metadata=about)
    files = {
        f"{name}.pdf": pdf.getvalue(),
        f"{name}.png": png.getvalue(),
        f"{name}.csv": numbers.encode("utf-8"),
    }
    return save(files, folder)


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
