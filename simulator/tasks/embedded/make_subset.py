"""Cut the embedded subset out of the full Fashion-MNIST: the first 600 training and 100 test images of each class.

The images keep their original order, so the subset is a fixed function of the released files. Run it as
``python -m simulator.tasks.embedded.make_subset FOLDER_OF_THE_FULL_SET``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from simulator.tasks.idx import IMAGES, LABELS, read_labelled, write_idx

PER_CLASS = {"train": 600, "t10k": 100}


def first_of_each_class(labels: NDArray[np.uint8], count: int) -> NDArray[np.int64]:
    """Give the positions of the first `count` samples of every class, in increasing order.

    Raises
    ------
    ValueError
        If a class has fewer than `count` samples.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    if sizes.min() < count:
        raise ValueError(
            f"labels: expected {count} samples of each class, got {sizes.min()} of class {classes[sizes.argmin()]}"
        )
    return np.sort(np.concatenate([np.flatnonzero(labels == label)[:count] for label in classes]))


def make_subset(source: str | Path, target: str | Path) -> None:
    """Write the subset's four gzipped IDX files into `target`, from the full set in `source`."""
    for part, count in PER_CLASS.items():
        images, labels = read_labelled(source, part)
        kept = first_of_each_class(labels, count)
        write_idx(Path(target) / f"{part}-{IMAGES}.gz", images[kept])
        write_idx(Path(target) / f"{part}-{LABELS}.gz", labels[kept])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="folder with the four files of the full Fashion-MNIST")
    parser.add_argument(
        "--to", type=Path, default=Path(__file__).parent, help="folder to write to (default: beside this file)"
    )
    options = parser.parse_args()
    make_subset(options.source, options.to)
