"""Where what is kept from round to round lives: in memory, in a file that the system pages, or on a GPU's host."""

from __future__ import annotations

import os
import shutil
import tempfile
from math import prod
from pathlib import Path

import torch
from torch import Tensor

from algorithms.cohort import Room


def room(where: str, folder: Path) -> Room | None:
    """Find what makes the zeros, shape (rows, d), of states.

    Parameters
    ----------
    where : str
        ``memory``: None, they stay with what computes on them. ``file``, or ``file:FOLDER``: memory-mapped files, in
        the run's folder or in another. ``host``: the pinned memory of a GPU's host.
    folder : Path
        Of the run.

    Raises
    ------
    ValueError
        If the text is none of these.
    """
    kind, _, elsewhere = where.partition(":")
    if where == "memory":
        return None
    if where == "host":
        return on_host
    if kind != "file" or where == "file:":
        raise ValueError(f"state_on: expected memory, file, file:FOLDER or host, got {where!r}")
    return lambda rows, size, dtype: in_file(Path(elsewhere or folder), rows, size, dtype)


def on_host(rows: int, size: int, dtype: torch.dtype) -> Tensor:
    """Make zeros in memory that a GPU can copy from and to directly; chunks of it are moved (not tested on a GPU)."""
    return torch.zeros(rows, size, dtype=dtype, pin_memory=torch.cuda.is_available())


def in_file(folder: Path, rows: int, size: int, dtype: torch.dtype) -> Tensor:
    """Make zeros in a file of their own, shape (rows, size).

    The file loses its name at once: the system frees it with the tensor, or when the process ends, however it ends.

    Raises
    ------
    ValueError
        If the folder has no room for it.
    """
    length = prod((rows, size, dtype.itemsize))
    if not length:
        return torch.zeros(rows, size, dtype=dtype)
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, path = tempfile.mkstemp(prefix=".state-", dir=folder)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, length)  # a full disk is an error now, not a crash in a later write
        else:
            os.truncate(descriptor, length)
        return torch.from_file(path, shared=True, size=rows * size, dtype=dtype).view(rows, size)
    except OSError as error:
        free = shutil.disk_usage(folder).free
        raise ValueError(
            f"state_on: expected {length / 1e9:.2f} GB free in {folder}, got {free / 1e9:.2f} ({error.strerror})"
        ) from error
    finally:
        os.close(descriptor)
        os.unlink(path)
