import pytest
import torch

from algorithms.streams import Stream
from simulator.tasks.augmentation import CropFlip

STREAM = Stream(3, "augmentation")


def images(w: int, b: int, size: int = 5) -> torch.Tensor:
    return torch.arange(1.0, w * b * 2 * size * size + 1).view(w, b, 2, size, size)


def windows(image: torch.Tensor, pad: int, fill: list[float]) -> list[torch.Tensor]:
    """Every window of the padded image, mirrored or not."""
    c, h, w = image.shape
    padded = torch.tensor(fill)[:, None, None].expand(c, h + 2 * pad, w + 2 * pad).clone()
    padded[:, pad : pad + h, pad : pad + w] = image
    cut = [padded[:, y : y + h, x : x + w] for y in range(2 * pad + 1) for x in range(2 * pad + 1)]
    return cut + [window.flip(2) for window in cut]


def test_every_image_is_a_window_of_its_padded_self():
    given = images(3, 4)
    changed = CropFlip(pad=2, fill=[-1.0, -2.0])(given, torch.tensor([5, 0, 2]), 7, STREAM)
    for before, after in zip(given.flatten(0, 1), changed.flatten(0, 1), strict=True):
        assert any(torch.equal(after, window) for window in windows(before, 2, [-1.0, -2.0]))


def test_all_shifts_and_both_sides_occur_equally_often():
    given = images(1, 1)[0, 0].expand(20, 500, -1, -1, -1)
    changed = CropFlip(pad=1)(given, torch.arange(20), 0, STREAM).flatten(0, 1)
    counts = torch.tensor(
        [int((changed == window).flatten(1).all(1).sum()) for window in windows(given[0, 0], 1, [0, 0])]
    )
    assert int(counts.sum()) == 10_000
    # 18 equally likely outcomes: chi square with 17 degrees of freedom stays below 46 with probability 1 - 2e-4
    assert float(((counts - 10_000 / 18) ** 2 / (10_000 / 18)).sum()) < 46


def test_a_sample_changes_by_worker_and_position_only():
    change, given = CropFlip(pad=2), images(3, 4)
    whole = change(given, torch.tensor([5, 0, 2]), 1, STREAM)
    alone = change(given[2:], torch.tensor([2]), 1, STREAM)
    assert torch.equal(whole[2:], alone)
    # step 1 of batches of four is steps 2 and 3 of batches of two
    halves = [
        change(given[:, part], torch.tensor([5, 0, 2]), step, STREAM)
        for part, step in ((slice(2), 2), (slice(2, 4), 3))
    ]
    assert torch.equal(whole, torch.cat(halves, 1))
    assert not torch.equal(whole, change(given, torch.tensor([5, 0, 2]), 2, STREAM))
    assert not torch.equal(whole, change(given, torch.tensor([5, 0, 2]), 1, Stream(4, "augmentation")))


def test_each_row_may_be_at_its_own_step():
    change, given = CropFlip(pad=2), images(2, 4)
    mixed = change(given, torch.tensor([1, 2]), torch.tensor([6, 9]), STREAM)
    for row, step in ((0, 6), (1, 9)):
        assert torch.equal(mixed[row], change(given[row, None], torch.tensor([row + 1]), step, STREAM)[0])


def test_nothing_to_do_changes_nothing():
    assert torch.equal(CropFlip(pad=0, flip=False)(images(2, 3), torch.arange(2), 0, STREAM), images(2, 3))


def test_a_square_within_the_image_is_blotted_out():
    given = images(4, 50)
    changed = CropFlip(pad=0, flip=False, cutout=2)(given, torch.arange(4), 3, STREAM)
    corners = set()
    for before, after in zip(given.flatten(0, 1), changed.flatten(0, 1), strict=True):
        gone = after == 0
        assert torch.equal(after[~gone], before[~gone]) and int(gone.sum()) == 2 * 2 * 2
        _, y, x = (int(part.min()) for part in gone.nonzero().T)
        assert bool(gone[:, y : y + 2, x : x + 2].all())
        corners.add((y, x))
    assert len(corners) == 16  # a square of 2 has 4 x 4 places in 5 x 5
    with pytest.raises(ValueError, match="cutout: expected at most 5, the images' side, got 6"):
        CropFlip(cutout=6)(given, torch.arange(4), 3, STREAM)


@pytest.mark.parametrize(
    "changes", [{"pad": -1}, {"cutout": -1}, {"pad": 1.5}, {"fill": ["black"]}, {"fill": float("nan")}]
)
def test_bad_input_is_named(changes):
    with pytest.raises(ValueError, match=f"task.augmentation.{next(iter(changes))}: expected"):
        CropFlip(**changes)


def test_fill_fits_the_channels():
    with pytest.raises(ValueError, match="fill: expected one number or 2, one for each channel"):
        CropFlip(fill=[0.0, 0.0, 0.0])(images(1, 1), torch.arange(1), 0, STREAM)
