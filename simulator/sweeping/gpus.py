"""Spread jobs over the GPUs of a machine, one GPU for each process, without a trace in any record.

A process is shown only its own GPU, by CUDA_VISIBLE_DEVICES, and so computes on ``cuda:0`` whichever that is: nothing
that it writes down depends on the assignment. Processes agree by locks, which the system opens when a process ends.
"""

from __future__ import annotations

import getpass
import os
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_held: list[FileLock] = []


def settle_on_a_gpu(device: str, locks: Path | None = None) -> None:
    """Take the least used GPU for the rest of this process, if the device is left to it and there are several.

    Parameters
    ----------
    device : str
        Of the configuration. Anything but "auto" names the device, and nothing is done.
    locks : Path, optional
        Where processes agree; by default a folder of this machine and user, so that two sweeps share the GPUs too.

    Notes
    -----
    Each process takes the lowest number that is free, and of g GPUs the one of that number modulo g. Launchers that
    show a job only what it was given (Ray and SLURM, when asked for GPUs) leave nothing to choose.
    """
    if device != "auto" or _held:
        return
    gpus = visible()
    if len(gpus) < 2 or _initialised():
        return
    folder = locks or Path(tempfile.gettempdir()) / f"bitclock-gpus-{getpass.getuser()}"
    folder.mkdir(parents=True, exist_ok=True)
    number, lock = take_number(folder)
    _held.append(lock)
    os.environ[_VISIBLE] = gpus[number % len(gpus)]


def visible() -> list[str]:
    """Name the GPUs that this process may use, as CUDA_VISIBLE_DEVICES would."""
    named = os.environ.get(_VISIBLE)
    if named is None:
        import torch

        return [str(number) for number in range(torch.cuda.device_count())]
    names = [name.strip() for name in named.split(",")]
    # CUDA itself stops reading at the first name that is none
    return names[: next((at for at, name in enumerate(names) if name in ("", "-1")), len(names))]


def take_number(folder: Path) -> tuple[int, FileLock]:
    """Take the lowest number that no living process has taken in this folder."""
    number = 0
    while True:
        lock = FileLock(folder / f"{number}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            number += 1
            continue
        return number, lock


def _initialised() -> bool:
    import torch

    return torch.cuda.is_initialized()
