import gzip
import hashlib
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from simulator.tasks import embedded
from simulator.tasks.datasets import FashionMnist, FashionMnistMini, Mnist, Samples
from simulator.tasks.download import content_sha256
from simulator.tasks.embedded.make_subset import first_of_each_class, make_subset
from simulator.tasks.idx import read_idx, write_idx
from simulator.tasks.sources import FASHION_MNIST, MNIST, SOURCES, cache_folder, locate

EMBEDDED = Path(embedded.__path__[0])
FULL = FASHION_MNIST.package_folder
needs_full = pytest.mark.skipif(not FASHION_MNIST.complete(FULL), reason="the full Fashion-MNIST is not installed")


def tiny_set(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", 3), ("t10k", 2)):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", np.full((count, 28, 28), 255, np.uint8))
        write_idx(folder / f"{part}-labels-idx1-ubyte", np.arange(count, dtype=np.uint8))
    return folder


def test_the_embedded_subset_is_stratified_and_normalised():
    train, test = FashionMnistMini().load()
    assert train.inputs.shape == (6000, 1, 28, 28) and test.inputs.shape == (1000, 1, 28, 28)
    assert torch.bincount(train.targets).tolist() == [600] * 10
    assert torch.bincount(test.targets).tolist() == [100] * 10
    # the constants are those of the full set, so the subset is only nearly standardised
    assert abs(float(train.inputs.mean())) < 0.02 and abs(float(train.inputs.std()) - 1) < 0.02
    assert float(train.inputs.min()) == pytest.approx(-0.2860 / 0.3530, rel=1e-6)


@pytest.mark.parametrize(
    "file, sha256",
    [
        ("train-images-idx3-ubyte.gz", "cf313073c7eb485392848071d5c433571d7166043e971e3345b095cc30518084"),
        ("train-labels-idx1-ubyte.gz", "097b93fbcf9bd5bc648b1a457ddc55c9e4ab49afb33f9ecae8ce068399a75e3a"),
        ("t10k-images-idx3-ubyte.gz", "7cee33c3c6414b1b86c25e665a6c4f41584269de3b7cc9768b1d351922845eef"),
        ("t10k-labels-idx1-ubyte.gz", "3128d790775889812b73c4f13923559c8b9e281d112c6ea7862acf60a206a909"),
    ],
)
def test_the_embedded_files_are_the_known_ones(file, sha256):
    assert content_sha256(EMBEDDED / file) == sha256
    assert (EMBEDDED / "LICENSE").read_text().count("Zalando SE") == 1


@needs_full
def test_the_subset_is_cut_from_the_full_set_by_the_committed_script(tmp_path):
    for source_part, count in (("train", 600), ("t10k", 100)):
        labels = read_idx(EMBEDDED / f"{source_part}-labels-idx1-ubyte.gz")
        full = read_idx(FULL / f"{source_part}-labels-idx1-ubyte.gz")
        kept = first_of_each_class(full, count)
        assert (full[kept] == labels).all()
    make_subset(EMBEDDED, tmp_path)  # the subset of the subset is itself
    for file in EMBEDDED.glob("*.gz"):
        assert gzip.decompress(file.read_bytes()) == gzip.decompress((tmp_path / file.name).read_bytes())
    images = read_idx(FULL / "t10k-images-idx3-ubyte.gz")
    assert (images[kept] == read_idx(EMBEDDED / "t10k-images-idx3-ubyte.gz")).all()


@needs_full
def test_known_checksums_are_those_of_the_installed_set():
    for file, sha256 in FASHION_MNIST.sha256.items():
        assert content_sha256(FULL / f"{file}.gz") == sha256


def test_first_of_each_class_by_hand():
    labels = np.array([1, 0, 1, 1, 0, 0], np.uint8)
    assert first_of_each_class(labels, 2).tolist() == [0, 1, 2, 4]
    with pytest.raises(ValueError, match="expected 4 samples of each class, got 3 of class 0"):
        first_of_each_class(labels, 4)


def test_data_dir_wins_and_may_hold_a_folder_of_the_name(tmp_path):
    folder = tiny_set(tmp_path / "mnist")
    for data_dir in (folder, tmp_path, str(tmp_path)):
        train, test = Mnist().load(data_dir)
        assert len(train.inputs) == 3 and len(test.inputs) == 2
        assert torch.allclose(train.inputs, torch.tensor((1 - 0.1307) / 0.3081))
        assert train.targets.tolist() == [0, 1, 2] and train.targets.dtype == torch.int64
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="task.data_dir"):
        Mnist().load(tmp_path)


def test_search_order_and_the_error_that_ends_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache_folder() == tmp_path / "cache" / "bitclock"
    source = replace(FASHION_MNIST, package_folder=tmp_path / "package")
    with pytest.raises(FileNotFoundError) as caught:
        locate(source, None)
    for text in (
        "task.data_dir=",
        "python -m simulator.tasks.download fashion_mnist",
        str(tmp_path / "package"),
        "cache",
    ):
        assert text in str(caught.value)
    cached = tiny_set(cache_folder() / "fashion_mnist")
    assert locate(source, None) == cached
    packaged = tiny_set(tmp_path / "package")
    assert locate(source, None) == packaged
    with pytest.raises(FileNotFoundError, match=re.escape(str(tmp_path / "elsewhere"))):
        locate(source, tmp_path / "elsewhere")  # a folder that was named is not silently replaced by another
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "bitclock"


def test_damaged_data_ends_in_one_clear_error(tmp_path):
    folder = tiny_set(tmp_path)
    write_idx(folder / "train-labels-idx1-ubyte", np.array([0, 10, 2], np.uint8))
    with pytest.raises(ValueError, match=r"expected labels 0\.\.9, got 10"):
        FashionMnist().load(folder)
    shutil.copy(folder / "t10k-images-idx3-ubyte.gz", folder / "train-images-idx3-ubyte.gz")
    with pytest.raises(ValueError, match="expected 2 labels"):
        FashionMnist().load(folder)


def test_the_mini_set_takes_no_folder(tmp_path):
    with pytest.raises(ValueError, match="task.data_dir: expected null"):
        FashionMnistMini().load(str(tmp_path))


def test_samples_must_pair():
    with pytest.raises(ValueError, match="one target for each"):
        Samples(torch.zeros(3, 2), torch.zeros(2, dtype=torch.int64))
    with pytest.raises(ValueError, match="one target for each"):
        Samples(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64))


def test_sources_list_four_files_each():
    assert set(SOURCES) == {"fashion_mnist", "mnist"} and MNIST.package_folder is None
    for source in SOURCES.values():
        assert len(source.sha256) == 4
        assert all(len(bytes.fromhex(sha256)) == hashlib.sha256().digest_size for sha256 in source.sha256.values())
