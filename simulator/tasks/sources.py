"""Where the image sets come from, what they must contain, and where they may lie on this computer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from simulator.tasks.idx import IMAGES, LABELS, find_idx


@dataclass(frozen=True)
class Source:
    """A public set of four IDX files.

    Parameters
    ----------
    name : str
        Its name on the command line, and its folder in the cache.
    base_url : str
        The folder that holds ``{file}.gz``.
    sha256 : mapping of str to str
        File name (without ``.gz``) to the SHA-256 of the *decompressed* content, so that any compression of the same
        data passes.
    package_folder : Path or None
        Where a Debian package installs the set.
    """

    name: str
    base_url: str
    sha256: Mapping[str, str]
    package_folder: Path | None = None

    def complete(self, folder: Path) -> bool:
        """Tell whether all files are in `folder`, gzipped or raw."""
        try:
            return all(find_idx(folder, file) for file in self.sha256)
        except FileNotFoundError:
            return False


def cache_folder() -> Path:
    """Give the user's cache folder of this project: ``$XDG_CACHE_HOME/bitclock``, by default ``~/.cache/bitclock``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bitclock"


def locate(source: Source, data_dir: str | Path | None) -> Path:
    """Find the folder that holds a set.

    Parameters
    ----------
    source : Source
        The set.
    data_dir : str or Path or None
        Where the user says it is: this folder or a folder of the set's name in it. Nothing else is tried then. With
        None, Debian's package and the user's cache are tried.

    Raises
    ------
    FileNotFoundError
        If it is in none of these places, telling both ways out.
    """
    if data_dir is not None:
        places = [Path(data_dir).expanduser(), Path(data_dir).expanduser() / source.name]
    else:
        places = [*([source.package_folder] if source.package_folder else []), cache_folder() / source.name]
    for place in places:
        if source.complete(place):
            return place
    raise FileNotFoundError(
        f"task.data_dir: expected the files {', '.join(source.sha256)} (raw or .gz) in "
        f"{' or '.join(str(place) for place in places)}, got no complete set there; "
        f"set task.data_dir=<folder> or run: python -m simulator.tasks.download {source.name}"
    )


def _named(train_images: str, train_labels: str, test_images: str, test_labels: str) -> dict[str, str]:
    return {
        f"train-{IMAGES}": train_images,
        f"train-{LABELS}": train_labels,
        f"t10k-{IMAGES}": test_images,
        f"t10k-{LABELS}": test_labels,
    }


# Content whose official gzip files have the MD5 sums in the table of Fashion-MNIST's README.
FASHION_MNIST = Source(
    name="fashion_mnist",
    base_url="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    sha256=_named(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    package_folder=Path("/usr/share/datasets/fashion-mnist"),
)
MNIST = Source(
    name="mnist",
    base_url="https://ossci-datasets.s3.amazonaws.com/mnist/",
    sha256=_named(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
SOURCES = {source.name: source for source in (FASHION_MNIST, MNIST)}
