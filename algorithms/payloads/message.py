"""Messages: a tag byte that names the payload class, a header of fixed layout (little-endian), then the sections."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import torch

from algorithms.codecs.bitstream import Bitarray

if TYPE_CHECKING:
    from algorithms.payloads.payload import Payload

Message: TypeAlias = bytes  # payloads have a property named `bytes`, which hides the built-in in annotations
_CLASSES: dict[int, type[Payload]] = {}


P = TypeVar("P", bound="Payload")


def tagged(tag: int) -> Callable[[type[P]], type[P]]:
    """Give a payload class its tag byte, so that `decode` finds it. Raises ValueError if the tag is taken."""

    def register(cls: type[P]) -> type[P]:
        if _CLASSES.get(tag, cls) is not cls:
            raise ValueError(f"tag: expected a free tag byte for {cls.__name__}, got {tag} of {_CLASSES[tag].__name__}")
        _CLASSES[tag] = cls
        cls.tag = tag
        return cls

    return register


def decode(message: Message, *, device: torch.device | str = "cpu") -> Payload:
    """Read one message of any payload class.

    Parameters
    ----------
    message : bytes
        What `encode` gave; its first byte names the class.
    device : torch.device or str
        Where the tensors shall live.

    Returns
    -------
    Payload
        One row.

    Raises
    ------
    ValueError
        If the message is empty, its tag is unknown, it ends early or it goes on after its end.
    """
    if not message or message[0] not in _CLASSES:
        found = message[0] if message else "an empty message"
        raise ValueError(f"message: expected a tag byte among {sorted(_CLASSES)}, got {found}")
    return _CLASSES[message[0]].decode(message, device=device)


class Reader:
    """A message and how far it has been read; every method raises ValueError where the message ends early."""

    def __init__(self, message: Message, layout: struct.Struct, tag: int) -> None:
        self._message, self._at = message, 0
        self.header = self.fields(layout)
        if self.header[0] != tag:
            raise ValueError(f"message: expected tag byte {tag}, got {self.header[0]}")

    def fields(self, layout: struct.Struct) -> tuple[Any, ...]:
        """Read a header part of fixed layout."""
        return layout.unpack(self.take(layout.size))

    def take(self, count: int) -> Message:
        """Read `count` bytes."""
        end = self._at + count
        if end > len(self._message):
            raise ValueError(f"message: expected at least {end} bytes, got {len(self._message)}")
        start, self._at = self._at, end
        return self._message[start:end]

    def bits(self) -> Bitarray:
        """Look at all the bits that are left, without reading them."""
        return np.unpackbits(np.frombuffer(self._message, np.uint8, offset=self._at))

    def skip_bits(self, count: int) -> None:
        """Read `count` bits and the padding up to a whole byte."""
        self.take(-(-count // 8))

    def finish(self) -> None:
        """Check that nothing is left."""
        if self._at != len(self._message):
            raise ValueError(f"message: expected {self._at} bytes, got {len(self._message)}")


def pack_bits(bits: Bitarray) -> Message:
    """Pack zeros and ones into bytes, most significant bit first, padded with zeros."""
    return np.packbits(bits).tobytes()


def padding(bits: Any) -> Any:
    """Give the bits that fill up to a whole byte."""
    return -bits % 8
