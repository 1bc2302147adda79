"""How a protocol turns a message into bits on the wire and delays: the ideal one, TCP, SimGrid's factors, QUIC."""

from network_models.transports.contract import Transport
from network_models.transports.ideal import Ideal
from network_models.transports.lv08 import Lv08
from network_models.transports.quic import Quic
from network_models.transports.registry import TransportLike, transport
from network_models.transports.tcp import Tcp

__all__ = ["Ideal", "Lv08", "Quic", "Tcp", "Transport", "TransportLike", "transport"]
