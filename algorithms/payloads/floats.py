"""Number formats that a value may travel in. In memory all but fp64 are float32 tensors of already rounded numbers."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from algorithms.payloads.message import Message

KINDS: dict[str, torch.dtype] = {
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
    "fp64": torch.float64,
}
"""Formats by name; a format's place in this table is its number in a message header."""


def width_bits(kind: str) -> int:
    """Give the bits of one number."""
    return 8 * KINDS[kind].itemsize


def number_of(kind: str) -> int:
    """Give a format's number in a message header."""
    return tuple(KINDS).index(kind)


def kind_of(number: int) -> str:
    """Name the format of that number; raises ValueError if there is none."""
    if not 0 <= number < len(KINDS):
        raise ValueError(f"message: expected a number format below {len(KINDS)}, got {number}")
    return tuple(KINDS)[number]


def resolve(kind: str, values: Tensor, key: str) -> str:
    """Check that a format fits the tensor that holds its numbers; "auto" is fp64 for float64 and fp32 for float32.

    Raises
    ------
    ValueError
        If the format is unknown, or the tensor is not float64 for fp64 and float32 otherwise.
    """
    if kind == "auto":
        kind = "fp64" if values.dtype == torch.float64 else "fp32"
    if kind not in KINDS:
        raise ValueError(f"{key}.kind: expected one of auto, {', '.join(KINDS)}, got {kind!r}")
    carrier = torch.float64 if kind == "fp64" else torch.float32
    if values.dtype != carrier:
        raise ValueError(f"{key}.values: expected {carrier} for kind {kind!r}, got {values.dtype}")
    return kind


def rounded(x: Tensor, kind: str) -> Tensor:
    """Round to a format (nearest, ties to even; overflow gives infinity), carried in float32 (float64 for fp64)."""
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    return x.to(KINDS[kind]).to(torch.float64 if kind == "fp64" else torch.float32)


def write_floats(values: Tensor, kind: str) -> Message:
    """Write a vector of already rounded numbers, little-endian.

    Raises
    ------
    ValueError
        If a number is not one of the format's: the receiver would get another number than the sender believes.
    """
    host = values.detach().cpu().contiguous()
    stored = host.to(KINDS[kind])
    if not torch.allclose(stored.to(host.dtype), host, rtol=0.0, atol=0.0, equal_nan=True):
        raise ValueError(f"values: expected numbers already rounded to {kind}, got others; use Dense.rounded")
    return stored.view(torch.uint8).numpy().tobytes()


def read_floats(message: Message, kind: str, device: torch.device | str) -> Tensor:
    """Read a vector of numbers."""
    raw = torch.empty(len(message) // KINDS[kind].itemsize, dtype=KINDS[kind])
    raw.view(torch.uint8).numpy()[:] = np.frombuffer(message, np.uint8)
    return raw.to(torch.float64 if kind == "fp64" else torch.float32).to(device)


def same_bits(a: Tensor, b: Tensor) -> bool:
    """Compare two float tensors bit for bit: a NaN equals itself and -0.0 differs from 0.0."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    pattern = torch.int64 if a.dtype == torch.float64 else torch.int32
    return torch.equal(a.contiguous().view(pattern), b.to(a.device).contiguous().view(pattern))


def same_optional(a: Tensor | None, b: Tensor | None) -> bool:
    """Compare two float tensors, either of which may be absent, bit for bit."""
    return a is b if a is None or b is None else same_bits(a, b)
