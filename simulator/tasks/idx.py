"""Read and write IDX files, the format of MNIST and its relatives, gzipped or raw.

An IDX file is two zero bytes, a type code, the number of dimensions, each dimension as a big-endian 32-bit integer,
then the values in row-major order, big-endian. A gzipped file is recognised by its first two bytes, not by its name.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

IMAGES, LABELS = "images-idx3-ubyte", "labels-idx1-ubyte"
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CODES = {np.dtype(text).newbyteorder("="): code for code, text in _TYPES.items()}


def read_idx(path: str | Path, dimensions: int | None = None) -> NDArray[np.generic]:
    """Read one IDX file.

    Parameters
    ----------
    path : str or Path
        The file, gzipped or raw.
    dimensions : int, optional
        How many dimensions the array must have (3 for images, 1 for labels); any number when left out.

    Returns
    -------
    ndarray
        In the machine's byte order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not gzip where it says so, has another magic number, or holds fewer or more bytes than its
        header says.

    References
    ----------
    LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section "File formats for the MNIST database".
    """
    path = Path(path)
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _TYPES:
        raise ValueError(
            f"{path}: expected an IDX magic number (00 00 type dimensions), got {content[:4].hex(' ') or 'nothing'}"
        )
    rank = content[3]
    if dimensions is not None and rank != dimensions:
        raise ValueError(f"{path}: expected an IDX file of {dimensions} dimensions, got {rank}")
    start = 4 + 4 * rank
    if len(content) < start:
        raise ValueError(f"{path}: expected a header of {start} bytes, got {len(content)} bytes (truncated)")
    shape = struct.unpack(f">{rank}I", content[4:start])
    dtype = np.dtype(_TYPES[content[2]])
    expected = math.prod(shape) * dtype.itemsize
    if len(content) - start != expected:
        state = "truncated" if len(content) - start < expected else "too long"
        raise ValueError(
            f"{path}: expected {expected} bytes of values for shape {shape}, got {len(content) - start} ({state})"
        )
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def write_idx(path: str | Path, array: NDArray[np.generic]) -> None:
    """Write an array as an IDX file, gzipped (without a time stamp) when the name ends in ``.gz``."""
    code = _CODES.get(array.dtype)
    if code is None:
        raise ValueError(f"{path}: expected one of the types {[str(t) for t in _CODES]}, got {array.dtype}")
    header = bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    content = header + array.astype(_TYPES[code]).tobytes()
    Path(path).write_bytes(gzip.compress(content, 9, mtime=0) if str(path).endswith(".gz") else content)


def read_labelled(folder: str | Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read the images and labels of one part of a data set.

    Parameters
    ----------
    folder : str or Path
        Holds ``{part}-images-idx3-ubyte`` and ``{part}-labels-idx1-ubyte``, each gzipped (``.gz``) or raw.
    part : str
        ``"train"`` or ``"t10k"``.

    Returns
    -------
    images : ndarray of uint8, shape (N, height, width)
    labels : ndarray of uint8, shape (N,)

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_idx`; also if the two files differ in their number of samples or hold other types than bytes.
    """
    files = [find_idx(folder, f"{part}-{kind}") for kind in (IMAGES, LABELS)]
    images, labels = read_idx(files[0], 3), read_idx(files[1], 1)
    for file, array in zip(files, (images, labels), strict=True):
        if array.dtype != np.uint8:
            raise ValueError(f"{file}: expected unsigned bytes, got {array.dtype}")
    if len(images) != len(labels):
        raise ValueError(
            f"{files[1]}: expected {len(images)} labels, one for each image in {files[0].name}, got {len(labels)}"
        )
    return images.astype(np.uint8, copy=False), labels.astype(np.uint8, copy=False)


def find_idx(folder: str | Path, name: str) -> Path:
    """Give the path of `name`.gz or else `name` in `folder`; raise FileNotFoundError when neither is there."""
    for path in (Path(folder) / f"{name}.gz", Path(folder) / name):
        if path.is_file():
            return path
    raise FileNotFoundError(f"{Path(folder) / name}: expected this file, raw or with .gz, got neither")


def _content(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: expected an IDX file, got no such file") from None
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(
            f"{path}: expected a complete gzip file, got one that is truncated or damaged ({error})"
        ) from None
