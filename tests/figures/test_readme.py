"""The README's pictures are what `make readme-figures` makes: each says its command, and that is the Makefile's."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

from figures.arguments import parse

ROOT = Path(__file__).resolve().parents[2]
PICTURES = sorted((ROOT / "figures/readme").glob("*.png"))


def test_the_readme_shows_them_all() -> None:
    shown = re.findall(r"\]\((figures/readme/\S+\.png)\)", (ROOT / "README.md").read_text())
    assert sorted(shown) == [str(path.relative_to(ROOT)) for path in PICTURES] and len(shown) == 4


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_each_says_the_command_of_the_makefile(path: Path) -> None:
    with Image.open(path) as image:
        command = shlex.split(image.text["Command"])  # type: ignore[attr-defined]
    makefile = (ROOT / "Makefile").read_text().replace("$(DEMO)", "outputs/demo").replace("$(BIN)/", "")
    known = [shlex.split(line) for line in makefile.splitlines() if line.startswith("\tpython -m figures ")]
    assert command in known
    assert parse(command[3:]).name == path.stem
