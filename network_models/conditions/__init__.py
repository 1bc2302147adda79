"""What changes on a link in time: bandwidth traces, outages, other traffic, jitter; and how flows live with it."""

from network_models.conditions.composed import combined, difference, narrowest, product
from network_models.conditions.files import read_trace
from network_models.conditions.generators import fading, on_off
from network_models.conditions.jitter import Jitter
from network_models.conditions.trace import Trace

__all__ = ["Jitter", "Trace", "combined", "difference", "fading", "narrowest", "on_off", "product", "read_trace"]
