"""Checks of configured values, each an error that names the key, what was expected and what came."""

from __future__ import annotations

import math

import torch


def whole(key: str, value: object, least: int) -> int:
    """Give `value` as an int of at least `least`, or raise ValueError naming `key`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{key}: expected an integer of at least {least}, got {value!r}")
    return value


def real(key: str, value: object, least: float, *, open_below: bool = False) -> float:
    """Give `value` as a finite float of at least (`open_below`: above) `least`, or raise ValueError naming `key`."""
    if not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value):
        if value > least or (value == least and not open_below):
            return float(value)
    raise ValueError(
        f"{key}: expected a finite number {'above' if open_below else 'of at least'} {least:g}, got {value!r}"
    )


def torch_device(device: str | torch.device) -> torch.device:
    """Turn 'auto', 'cpu', 'cuda' or 'cuda:1' into a device; 'auto' is the first CUDA device, else the CPU.

    Raises
    ------
    ValueError
        If the text names no such device, or one that this machine lacks.
    """
    if device == "auto":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
    except RuntimeError:
        found = None
    if found is None or found.type not in ("cpu", "cuda"):
        raise ValueError(f"device: expected auto, cpu, cuda or cuda:i, got {device!r}")
    if found.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device: expected auto or cpu where there is no CUDA device, got '{device}'")
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device: expected one of the {torch.cuda.device_count()} CUDA devices here, got '{device}'")
    return torch.device("cuda", found.index or 0) if found.type == "cuda" else found


def torch_dtype(dtype: str | torch.dtype) -> torch.dtype:
    """Turn 'float32' or 'float64' into a torch type, or raise ValueError."""
    for known in (torch.float32, torch.float64):
        if dtype in (known, str(known).removeprefix("torch.")):
            return known
    raise ValueError(f"dtype: expected float32 or float64, got {dtype!r}")
