"""Who gets how much of the links that flows share: exact max-min fairness, by the cheapest engine that is right."""

from network_models.sharing.clusters import Clusters
from network_models.sharing.flow import Flow, Sharing
from network_models.sharing.maxmin import MaxMinSharing

__all__ = ["Clusters", "Flow", "MaxMinSharing", "Sharing"]
