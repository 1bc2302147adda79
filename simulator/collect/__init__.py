"""Join finished runs into one table: a row for each run and mark, in flat columns."""

from simulator.collect.seeds import grouped
from simulator.collect.table import collect

__all__ = ["collect", "grouped"]
