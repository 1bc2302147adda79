import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from simulator.tasks.idx import read_idx, read_labelled, write_idx

# 2 images of 2 x 3, written by hand after the format's description
IMAGES = bytes([0, 0, 8, 3]) + struct.pack(">III", 2, 2, 3) + bytes(range(12))
LABELS = bytes([0, 0, 8, 1]) + struct.pack(">I", 2) + bytes([7, 9])


def folder(path: Path, images: bytes = IMAGES, labels: bytes = LABELS) -> Path:
    (path / "train-images-idx3-ubyte").write_bytes(images)
    (path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels, mtime=0))
    return path


def test_hand_written_files_raw_and_gzipped(tmp_path):
    images, labels = read_labelled(folder(tmp_path), "train")
    assert images.tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]
    assert labels.tolist() == [7, 9]


@given(array=hnp.arrays(st.sampled_from([np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64]), (2, 3, 1)))
def test_what_was_written_is_read(tmp_path_factory, array):
    for name in ("a", "a.gz"):
        path = tmp_path_factory.mktemp("idx") / name
        write_idx(path, array)
        back = read_idx(path, 3)
        assert back.dtype == array.dtype and back.tobytes() == array.tobytes()


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "expected an IDX magic number .* got nothing"),
        (b"PNG\x00....", "expected an IDX magic number .* got 50 4e 47 00"),
        (bytes([0, 0, 8, 1]) + struct.pack(">I", 2) + b"ab", "expected an IDX file of 3 dimensions, got 1"),
        (IMAGES[:10], r"expected a header of 16 bytes, got 10 bytes \(truncated\)"),
        (IMAGES[:-1], r"expected 12 bytes of values for shape \(2, 2, 3\), got 11 \(truncated\)"),
        (IMAGES + b"!", r"got 13 \(too long\)"),
        (gzip.compress(IMAGES, mtime=0)[:-9], "expected a complete gzip file"),
        (gzip.compress(IMAGES, mtime=0)[:-8] + b"\0" * 8, "expected a complete gzip file"),
        (b"\x1f\x8bnonsense", "expected a complete gzip file"),
    ],
)
def test_damaged_files_are_named(tmp_path, content, message):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)


def test_counts_must_agree(tmp_path):
    labels = bytes([0, 0, 8, 1]) + struct.pack(">I", 3) + bytes(3)
    with pytest.raises(ValueError, match="expected 2 labels, one for each image in train-images-idx3-ubyte, got 3"):
        read_labelled(folder(tmp_path, labels=labels), "train")


def test_other_types_are_refused(tmp_path):
    write_idx(folder(tmp_path) / "train-images-idx3-ubyte", np.zeros((2, 2, 3), np.float32))
    with pytest.raises(ValueError, match="expected unsigned bytes, got float32"):
        read_labelled(tmp_path, "train")
    with pytest.raises(ValueError, match="expected one of the types .* got int64"):
        write_idx(tmp_path / "x", np.zeros(2, np.int64))


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing-here.*no such file"):
        read_idx(tmp_path / "nothing-here")
    with pytest.raises(FileNotFoundError, match="t10k-images-idx3-ubyte: expected this file, raw or with .gz"):
        read_labelled(folder(tmp_path), "t10k")
