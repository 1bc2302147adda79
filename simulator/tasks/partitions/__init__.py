"""Which samples each worker holds."""

from simulator.tasks.partitions.classes import ClassesPerWorker
from simulator.tasks.partitions.dirichlet import Dirichlet
from simulator.tasks.partitions.iid import Iid, IidWithReplacement
from simulator.tasks.partitions.shards import Partition, Shards

__all__ = ["ClassesPerWorker", "Dirichlet", "Iid", "IidWithReplacement", "Partition", "Shards"]
