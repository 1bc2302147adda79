"""A virtual environment of its own for each peer, so that the project's stays as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_SHARED = ("torch", "numpy")  # of the same versions as ours: they do the work that is compared
_CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"
_INSTALL_S = 3600
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS")}


class NotInstalled(RuntimeError):
    """A peer that pip could not install; the message is the last thing that it said."""


def prepared(folder: Path, packages: Sequence[str]) -> Path:
    """Make an environment with these packages, unless it is there, and give its interpreter.

    Parameters
    ----------
    folder : Path
        Where it lies; ``installed.txt`` in it says what it holds.
    packages : sequence of str
        Requirements with their versions. torch and numpy are those of constraints.txt.

    Raises
    ------
    NotInstalled
        If pip fails.
    """
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    wanted = "\n".join([*pinned(), *packages]) + "\n"
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making {folder} with {', '.join(packages)}", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(pinned()) + "\n", encoding="utf-8")
    command = [str(python), "-m", "pip", "install", "-c", str(constraints), "torch", *packages]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False, env=clean())
    if done.returncode:
        raise NotInstalled(last_line(done.stderr) or last_line(done.stdout) or f"pip gave {done.returncode}")
    stamp.write_text(wanted, encoding="utf-8")
    return python


def pinned() -> list[str]:
    """Take the shared packages' lines out of constraints.txt; its other pins are those of our own dependencies."""
    lines = _CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.split("==")[0] in _SHARED]


def clean() -> dict[str, str]:
    """Give this process's environment without what would show a peer our packages, and with one thread a library."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | ONE_THREAD


def last_line(text: str) -> str:
    """Give the last line with an error, else the last that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or [""])[-1]
