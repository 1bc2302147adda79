"""Trajectories that have been trained, kept by what can influence them: train once, re-time everywhere."""

from simulator.store.key import trajectory_key
from simulator.store.store import Damaged, Store, default_folder

__all__ = ["Damaged", "Store", "default_folder", "trajectory_key"]
