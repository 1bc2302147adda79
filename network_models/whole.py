"""Read whole numbers."""

from __future__ import annotations

import numpy as np


def whole(value: object, key: str, least: int) -> int:
    """Read a whole number of at least `least`; `key` is the name of the setting.

    Raises
    ------
    ValueError
        If it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{key}: expected a whole number of at least {least}, got {value!r}")
    return int(value)
