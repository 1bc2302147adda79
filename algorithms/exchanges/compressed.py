"""The usual composition of a compressor: over a server or an all-gather, with or without error feedback."""

from __future__ import annotations

from collections.abc import Callable

from algorithms.checks import boolean
from algorithms.compressors import Compressor
from algorithms.exchanges.all_gather import AllGatherMean
from algorithms.exchanges.base import Exchange
from algorithms.exchanges.error_feedback import ErrorFeedback
from algorithms.exchanges.server import ServerMean

_ROUTES: dict[str, Callable[[Compressor], Exchange]] = {"server": ServerMean, "all_gather": AllGatherMean}


def compressed_mean(compressor: Compressor, via: str, error_feedback: bool) -> Exchange:
    """Average compressed updates via ``server`` or ``all_gather``, inside `ErrorFeedback` if asked."""
    if via not in _ROUTES:
        raise ValueError(f"algorithm.via: expected one of {', '.join(_ROUTES)}, got {via!r}")
    exchange = _ROUTES[via](compressor)
    return ErrorFeedback(exchange) if boolean("algorithm.error_feedback", error_feedback) else exchange
