import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from simulator.tasks.cifar10 import FOLDER, TEST, TRAIN, Cifar10, Cifar10Mini, read_batch

DATA = os.environ.get("BITCLOCK_DATA")
needs_data = pytest.mark.skipif(
    not DATA or not (Path(DATA) / FOLDER).is_dir(), reason=f"BITCLOCK_DATA names no folder that holds {FOLDER}"
)


def tiny_set(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for number, name in enumerate(TRAIN + TEST):
        data = np.full((2, 3072), number, np.uint8)
        data[1, :1024] = 255  # the red plane
        (folder / name).write_bytes(pickle.dumps({b"data": data, b"labels": [number, 9]}, protocol=2))
    return folder


def test_batches_are_read_in_order_and_normalised(tmp_path):
    folder = tiny_set(tmp_path / FOLDER)
    for data_dir in (folder, tmp_path):
        train, test = Cifar10().load(str(data_dir))
        assert train.inputs.shape == (10, 3, 32, 32) and test.inputs.shape == (2, 3, 32, 32)
        assert train.targets.tolist() == [0, 9, 1, 9, 2, 9, 3, 9, 4, 9] and test.targets.tolist() == [5, 9]
        # value 5 of 255 in the last batch; the second image's red is full
        assert float(test.inputs[0, 1, 3, 3]) == pytest.approx((5 / 255 - 0.4822) / 0.2435, rel=1e-5)
        assert float(test.inputs[1, 0, 31, 31]) == pytest.approx((1 - 0.4914) / 0.2470, rel=1e-5)
        assert float(test.inputs[1, 2, 0, 0]) == pytest.approx((5 / 255 - 0.4465) / 0.2616, rel=1e-5)


def test_a_file_as_python_2_wrote_it_is_read(tmp_path):
    # the opcodes of the release: byte strings, numpy.core, protocol 2
    pixels = bytes(range(256)) * 12
    content = b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
    content += b"(K\x01K\x01M\x00\x0c\x86cnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
    content += b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
    content += b"T" + struct.pack("<i", len(pixels)) + pixels + b"tbU\x06labels](K\x07eu."
    (tmp_path / "batch").write_bytes(content)
    data, labels = read_batch(tmp_path / "batch")
    assert data.tobytes() == pixels and data.shape == (1, 3072) and labels.tolist() == [7]


def test_absent_data_tells_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for data_dir in (None, str(tmp_path / "elsewhere")):
        with pytest.raises(FileNotFoundError, match="task.data_dir: expected data_batch_1.*cifar-10-python.tar.gz"):
            Cifar10().load(data_dir)


class Evil:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "expected a pickled CIFAR-10 batch"),
        (b"not a pickle", "expected a pickled CIFAR-10 batch"),
        (pickle.dumps([1, 2]), "expected a pickled CIFAR-10 batch"),
        (pickle.dumps({b"data": Evil(), b"labels": []}), "a reference to .*system"),
        (pickle.dumps({b"data": np.zeros((1, 3072), np.uint8)}), "labels"),
        (pickle.dumps({b"data": np.zeros((1, 3071), np.uint8), b"labels": [0]}), r"shape \(N, 3072\)"),
        (pickle.dumps({b"data": np.zeros((1, 3072), np.float32), b"labels": [0]}), r"got float32"),
        (pickle.dumps({b"data": np.zeros((1, 3072), np.uint8), b"labels": [0, 1]}), r"and \(2,\)"),
        (pickle.dumps({b"data": np.zeros((1, 3072), np.uint8), b"labels": [10]}), r"expected labels 0\.\.9, got 10"),
        (pickle.dumps({b"data": np.zeros((1, 3072), np.uint8), b"labels": [-1]}), r"expected labels 0\.\.9, got -1"),
    ],
)
def test_damaged_files_end_in_one_clear_error(tmp_path, content, message):
    (tmp_path / "batch").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_batch(tmp_path / "batch")
    assert str(tmp_path / "batch") in str(caught.value)


def test_the_made_up_set_is_the_same_every_time():
    (train, test), (again, _) = Cifar10Mini(train=40, test=20).load(), Cifar10Mini(train=60, test=5).load()
    assert train.inputs.shape == (40, 3, 32, 32) and torch.equal(train.inputs, again.inputs[:40])
    assert train.targets.tolist() == [i % 10 for i in range(40)] and len(test.targets) == 20
    assert not torch.equal(train.inputs[:20], test.inputs)
    with pytest.raises(ValueError, match="task.data_dir: expected null"):
        Cifar10Mini().load("/somewhere")


def test_made_up_classes_differ_and_their_members_are_alike_up_to_a_shift():
    train, _ = Cifar10Mini(train=30, test=1, noise=0.0).load()
    a, b, other = (torch.fft.fft2(train.inputs[i]).abs() for i in (0, 10, 1))  # magnitudes do not see a shift
    assert torch.allclose(a, b, rtol=1e-3, atol=1e-1) and float((a - other).norm() / a.norm()) > 0.3


@needs_data
def test_the_real_set():
    train, test = Cifar10().load(DATA)
    assert len(train.targets) == 50_000 and torch.bincount(test.targets).tolist() == [1000] * 10
    for channel in range(3):
        assert abs(float(train.inputs[:, channel].mean())) < 0.01
        assert abs(float(train.inputs[:, channel].std()) - 1) < 0.01
