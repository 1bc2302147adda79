"""``failed.json``: why a job of a sweep failed, how to run it alone, and when that was."""

from __future__ import annotations

import json
import shlex
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulator.records.folder import RunFolder

NAME = "failed"


def write_failure(folder: Path, error: Exception, overrides: Sequence[str], *, trace: bool = False) -> str:
    """Leave ``failed.json`` in a job's folder, with the traceback if that is asked for, and give the error's line."""
    said = str(error) if not trace else f"{type(error).__name__}: {error}"
    content: dict[str, Any] = {
        "error": said,
        "command": f"python -m simulator {shlex.join(overrides)}",
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if trace:
        content["traceback"] = traceback.format_exception(error)
    folder.mkdir(parents=True, exist_ok=True)
    RunFolder(folder).write_json(NAME, content)
    return said


def clear_failure(folder: Path) -> None:
    """Take away what an earlier attempt has left."""
    path(folder).unlink(missing_ok=True)


def read_failure(folder: Path) -> dict[str, Any] | None:
    """Give what ``failed.json`` says, or None where there is none."""
    try:
        return dict(json.loads(path(folder).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        return {"error": f"a damaged {path(folder).name} ({error})", "when": "?"}


def path(folder: Path) -> Path:
    """Give where a job's failure is noted."""
    return folder / f"{NAME}.json"
