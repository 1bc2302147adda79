"""How a protocol turns a message into bits on the wire and delays: the ideal one, TCP, SimGrid's factors, QUIC."""

from network_models.transports.ideal import Ideal
from network_models.transports.transport import Transport

__all__ = ["Ideal", "Transport"]
