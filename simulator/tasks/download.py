"""Fetch a public image set: ``python -m simulator.tasks.download fashion_mnist``.

Every file is written beside its final name, checked against the known SHA-256 of its decompressed content, and only
then renamed: a file under its final name is always whole.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import http.client
import os
import sys
import urllib.error
import urllib.request
import zlib
from pathlib import Path

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from simulator.tasks.idx import find_idx
from simulator.tasks.sources import SOURCES, Source, cache_folder

_BLOCK_BYTES = 1 << 16
_TIMEOUT_S = 60.0


class DownloadError(RuntimeError):
    """A file that could not be fetched whole, or whose content is not the published one."""


def download(
    source: Source, folder: str | Path, base_url: str | None = None, progress: Progress | None = None
) -> list[Path]:
    """Bring all files of a set into `folder`, leaving those alone that are there and right.

    Parameters
    ----------
    source : Source
        The set.
    folder : str or Path
        Made if it does not exist.
    base_url : str, optional
        A mirror's folder to fetch from rather than the source's own.
    progress : rich Progress, optional
        Gets one bar per file.

    Returns
    -------
    list of Path
        One file per entry of `source.sha256`.

    Raises
    ------
    DownloadError
        If a file cannot be fetched, breaks off, or has other content than published. Complete files stay, nothing
        half-written does.
    """
    folder = Path(folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _ensure(file, sha256, folder, base_url or source.base_url, progress) for file, sha256 in source.sha256.items()
    ]


def content_sha256(path: Path) -> str:
    """Give the SHA-256 of a file's content, decompressed if it is gzip.

    Raises
    ------
    ValueError
        If the gzip file is damaged.
    """
    digest = hashlib.sha256()
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            with gzip.GzipFile(fileobj=raw) if compressed else raw as content:
                while block := content.read(_BLOCK_BYTES):
                    digest.update(block)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(f"{path}: expected a complete gzip file, got a damaged one ({error})") from None
    return digest.hexdigest()


def _ensure(file: str, sha256: str, folder: Path, base_url: str, progress: Progress | None) -> Path:
    try:
        present = find_idx(folder, file)
        if content_sha256(present) == sha256:
            return present
    except (FileNotFoundError, ValueError):
        pass  # fetched, or fetched again, below
    target, part = folder / f"{file}.gz", folder / f"{file}.gz.part"
    url = f"{base_url.rstrip('/')}/{target.name}"
    try:
        _fetch(url, part, progress)
        try:
            found = content_sha256(part)
        except ValueError as error:
            found = str(error)
        if found != sha256:
            raise DownloadError(f"{url}: expected content with SHA-256 {sha256}, got {found}")
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def _fetch(url: str, part: Path, progress: Progress | None) -> None:
    received, total = 0, None
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response, part.open("wb") as out:
            total = int(response.headers["Content-Length"]) if response.headers["Content-Length"] else None
            bar: TaskID | None = progress.add_task(part.stem, total=total) if progress else None
            while block := response.read(_BLOCK_BYTES):
                out.write(block)
                received += len(block)
                if progress and bar is not None:
                    progress.update(bar, completed=received)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        raise DownloadError(f"{url}: expected a file, got {error} after {received} bytes") from None
    if total is not None and received != total:
        raise DownloadError(f"{url}: expected {total} bytes, got {received} before the connection ended")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m simulator.tasks.download", description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(SOURCES))
    parser.add_argument("--to", type=Path, help="folder to write to (default: where task=NAME looks by itself)")
    parser.add_argument("--from", dest="base_url", help="a mirror's folder to fetch from (default: the official one)")
    choices = ("cache=on", "cache=off")
    parser.add_argument("cache", nargs="?", choices=choices, help="accepted by every command; here it changes nothing")
    options = parser.parse_args(arguments)
    source = SOURCES[options.name]
    folder = options.to or cache_folder() / source.name
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*columns) as progress:
            files = download(source, folder, options.base_url, progress)
    except (DownloadError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(files)} files of {source.name} are in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
