"""The store: a folder per trajectory, whole or absent, each file with its digest; one process at a time trains one."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from simulator.records.folder import RunFolder, RunFolderError, atomically
from simulator.tasks.sources import cache_folder

FILES = ("config.yaml", "metrics.parquet", "trace.jsonl", "summary.json", "manifest.json")
# What a summary says of one network only.
_CLOCKED = ("simulated_seconds", "links", "waiting")
_PATIENCE_S = 1.0


class Damaged(ValueError):
    """An entry whose files are not what was written."""


def default_folder() -> Path:
    """Give the store's folder: ``$BITCLOCK_STORE``, by default ``trajectories`` in the user's cache folder."""
    return Path(os.environ.get("BITCLOCK_STORE") or cache_folder() / "trajectories")


class Store:
    """Trajectories by key.

    Parameters
    ----------
    root : Path
        ``entries/KEY`` are run folders without a clock, ``racy/KEY.json`` says why one cannot be kept, ``training``
        says who is at work on which, ``locks`` belong to them, and ``damaged`` holds what was set aside.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_folder()

    def entry(self, key: str) -> RunFolder:
        """Give the folder of a key, which may not exist."""
        return RunFolder(self.root / "entries" / key)

    def keys(self) -> list[str]:
        """List the keys of all entries, sorted."""
        folder = self.root / "entries"
        return sorted(p.name for p in folder.iterdir() if not p.name.startswith(".")) if folder.is_dir() else []

    def get(self, key: str) -> RunFolder | None:
        """Give an entry, or None; one that is damaged is set aside, which is said on standard error."""
        entry = self.entry(key)
        if not entry.path.is_dir():
            return None
        try:
            self.verify(key)
        except Damaged as error:
            print(f"store: {error}; set aside in {self.set_aside(key)}, trained anew", file=sys.stderr)
            return None
        return entry

    def verify(self, key: str) -> None:
        """Compare an entry's files with their digests.

        Raises
        ------
        Damaged
            Naming the file.
        """
        entry = self.entry(key)
        try:
            digests = dict(json.loads((entry.path / "digests.json").read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise Damaged(f"expected a whole {entry.path / 'digests.json'}, got {error}") from error
        for name in FILES:
            path = entry.path / name
            if not path.exists() or _digest(path) != digests.get(name):
                raise Damaged(f"expected {path} as it was written, got {'another' if path.exists() else 'none'}")

    def set_aside(self, key: str) -> Path:
        """Move an entry out of the way and say where to."""
        target = self.root / "damaged" / f"{key}-{time.time_ns()}"
        target.parent.mkdir(parents=True, exist_ok=True)
        self.entry(key).path.rename(target)
        return target

    def put(self, key: str, run: RunFolder) -> None:
        """Keep the trajectory of a finished run, unless one is there; it appears whole."""
        entry = self.entry(key)
        if entry.path.is_dir():
            return
        draft = RunFolder(entry.path.with_name(f".{key}.{os.getpid()}.part"))
        draft.path.mkdir(parents=True, exist_ok=True)
        try:
            for name in FILES:
                atomically(draft.path / name, partial(_copy, run.path / name))
            summary = {name: value for name, value in run.read_json("summary").items() if name not in _CLOCKED}
            draft.write_json("summary", summary)
            draft.write_json("digests", {name: _digest(draft.path / name) for name in FILES})
            draft.path.rename(entry.path)
        finally:
            shutil.rmtree(draft.path, ignore_errors=True)

    def racy(self, key: str) -> str | None:
        """Say why a trajectory depends on time, if it is known to."""
        path = self._marker(key)
        return str(json.loads(path.read_text(encoding="utf-8"))["because"]) if path.exists() else None

    def mark_racy(self, key: str, because: str) -> None:
        """Note that a trajectory depends on time, so that nobody waits for it."""
        _write(self._marker(key), {"because": because})

    def _marker(self, key: str) -> Path:
        return self.root / "racy" / f"{key}.json"

    @contextmanager
    def training(self, key: str) -> Iterator[FileLock]:
        """Hold the lock of a key, which the system takes back from a process that dies; say whom one waits for."""
        path = self.root / "locks" / f"{key}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path)
        try:
            lock.acquire(timeout=_PATIENCE_S)
        except Timeout:
            print(f"store: {key[:12]} is being trained in {self.trainer(key)}; waiting", file=sys.stderr)
            lock.acquire()
        try:
            yield lock
        finally:
            lock.release()

    def trainer(self, key: str) -> str | None:
        """Name the folder in which somebody trains, or trained until they were killed."""
        note = self._note(key)
        return str(json.loads(note.read_text(encoding="utf-8"))["folder"]) if note.exists() else None

    def note_trainer(self, key: str, folder: Path) -> None:
        """Note where a trajectory is being trained; who finds this and the lock free may go on with it."""
        who = {"folder": str(folder.resolve()), "host": socket.gethostname(), "process": os.getpid()}
        _write(self._note(key), who)

    def left_behind(self, key: str, run: RunFolder) -> RunFolder | None:
        """Find what a process that was killed, with the lock, had of a trajectory; not if that is `run` itself."""
        if (folder := self.trainer(key)) is None or Path(folder) == run.path.resolve():
            return None
        left = RunFolder(Path(folder))
        try:
            is_it = left.begun and left.read_json("manifest").get("trajectory") == key
            return left if is_it and (left.complete or left.read_checkpoint() is not None) else None
        except RunFolderError:
            return None

    def forget_trainer(self, key: str) -> None:
        """Nobody trains this any more."""
        self._note(key).unlink(missing_ok=True)

    def _note(self, key: str) -> Path:
        return self.root / "training" / f"{key}.json"

    def remove(self, key: str) -> int:
        """Delete an entry; give the bytes that it took."""
        size = self.size(key)
        gone = self.entry(key).path.with_name(f".{key}.{os.getpid()}.gone")  # nobody sees half of it
        self.entry(key).path.rename(gone)
        shutil.rmtree(gone)
        return size

    def size(self, key: str) -> int:
        """Give the bytes of an entry's files."""
        return sum(path.stat().st_size for path in self.entry(key).path.iterdir())


def _copy(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    RunFolder(path.parent).write_json(path.stem, content)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
