"""Trackers are told how a run goes: its configuration, its metrics at each evaluated mark, its summary.

They look on only: no result, and nothing that identifies a run, depends on them.
"""

from simulator.trackers.guarded import Guarded, watching
from simulator.trackers.tensorboard import TensorBoard
from simulator.trackers.tracker import NoTracker, Tracker
from simulator.trackers.weights_and_biases import WeightsAndBiases

__all__ = ["Guarded", "NoTracker", "TensorBoard", "Tracker", "WeightsAndBiases", "watching"]
