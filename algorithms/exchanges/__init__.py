"""Exchanges: how workers agree on a mean. Each returns (mean, sent): the mean, and what each worker put into it."""

from algorithms.exchanges.all_gather import AllGatherMean
from algorithms.exchanges.all_reduce import AllReduceMean
from algorithms.exchanges.base import Exchange, Sent
from algorithms.exchanges.bucketed import Bucketed
from algorithms.exchanges.dense_start import DenseStart
from algorithms.exchanges.error_feedback import ErrorFeedback
from algorithms.exchanges.momentum_mask import MomentumMask
from algorithms.exchanges.second_count import SecondCount
from algorithms.exchanges.server import ServerMean
from algorithms.exchanges.two_sided import TwoSidedMean

__all__ = [
    "AllGatherMean",
    "AllReduceMean",
    "Bucketed",
    "DenseStart",
    "ErrorFeedback",
    "Exchange",
    "MomentumMask",
    "SecondCount",
    "Sent",
    "ServerMean",
    "TwoSidedMean",
]
