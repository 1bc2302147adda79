"""Codes worked out by hand, bit for bit."""

import numpy as np
import pytest

from algorithms.codecs import INDEX_CODES, Ragged, Supports, cheapest, index_code, read_levels, write_levels
from algorithms.codecs.bitstream import exponents


def bits(text: str) -> list[int]:
    return [int(c) for c in text if c in "01"]


# gaps of {3, 10, 11, 40}: 4, 7, 1, 29
GOLDEN = [
    ("fixed", 41, 0, "000011 001010 001011 101000"),
    ("gamma", 41, 0, "00100 00111 1 000011101"),
    ("rice", 41, 3, "0.011 0.110 0.000 1110.100"),  # Sattler et al.'s code with b* = 3: 19 bits
    ("bitmap", 41, 0, "00010000001100000000000000000000000000001"),
    # blocks 0..7, 8..15, 16..23, 24..31, 32..39, 40: a one and three bits each, a zero at every block's end
    ("block", 41, 3, "1.011 0 1.010 1.011 0 0 0 0 1.000 0"),
]


@pytest.mark.parametrize(("name", "size", "parameter", "text"), GOLDEN)
def test_four_indices_are_written_as_by_hand(name: str, size: int, parameter: int, text: str) -> None:
    indices = np.array([3, 10, 11, 40])
    code = INDEX_CODES[name]
    written = code.write(indices, size, parameter)
    assert written.tolist() == bits(text)
    supports = Supports(size, Ragged.even(1, 4), indices)
    measured, parameters = code.measure(supports)
    assert measured.tolist() == [len(bits(text))]
    assert parameters.tolist() == [parameter]
    read, used = code.read(np.append(written, [1, 0, 1]).astype(np.uint8), 4, size, parameter)
    assert read.tolist() == [3, 10, 11, 40]
    assert used == len(bits(text))


def test_auto_takes_the_shortest_code_of_each_message() -> None:
    rows = Ragged.of_counts(np.array([4, 1, 8, 0]))
    indices = np.array([3, 10, 11, 40, 63, *range(0, 16, 2)])
    supports = Supports(64, rows, indices)
    numbers, parameters, taken = cheapest(supports, "auto")
    # row 0: rice 19 < gamma 20; row 1: fixed 6 bits; row 2: gaps 1 and 7 x 2, 1 + 7 * 2 bits; row 3: none
    assert numbers.tolist() == [2, 0, 2, 0]
    assert parameters.tolist() == [3, 0, 0, 0]
    assert taken.tolist() == [19, 6, 15, 0]


def test_a_single_coordinate_needs_no_fixed_bits() -> None:
    supports = Supports(1, Ragged.even(2, 1), np.array([0, 0]))
    assert cheapest(supports, "fixed")[2].tolist() == [0, 0]
    assert INDEX_CODES["fixed"].read(np.zeros(0, np.uint8), 1, 1, 0)[0].tolist() == [0]


LEVELS = np.array([0, 1, -3, 2])


@pytest.mark.parametrize(("number", "text"), [(0, "000 001 111 010"), (1, "1 010.0 00100.1 011.0")])
def test_four_levels_are_written_as_by_hand(number: int, text: str) -> None:
    written = write_levels(LEVELS, 3, number)
    assert written.tolist() == bits(text)
    read, used = read_levels(np.append(written, [0, 0]).astype(np.uint8), 4, 3, number)
    assert read.tolist() == LEVELS.tolist()
    assert used == len(bits(text))


def test_exponents_are_exact_at_powers_of_two() -> None:
    powers = 2 ** np.arange(1, 52)
    assert exponents(powers).tolist() == list(range(1, 52))
    assert exponents(powers - 1).tolist() == list(range(51))


@pytest.mark.parametrize("name", ["fixed", "gamma", "rice"])
def test_bits_that_end_early_are_an_error(name: str) -> None:
    written = INDEX_CODES[name].write(np.array([3, 10, 11, 40]), 41, 3)
    for cut in range(written.size):
        with pytest.raises(ValueError, match="message: expected"):
            INDEX_CODES[name].read(written[:cut], 4, 41, 3)


def test_damaged_numbers_are_errors() -> None:
    with pytest.raises(ValueError, match="index code below 5, got 7"):
        index_code(7)
    with pytest.raises(ValueError, match="level code below 2, got 2"):
        read_levels(np.zeros(8, np.uint8), 1, 1, 2)
    with pytest.raises(ValueError, match="magnitude 3"):
        read_levels(np.array(bits("011"), np.uint8), 1, 2, 0)
    with pytest.raises(ValueError, match="Rice parameter of at most 61"):
        INDEX_CODES["rice"].read(np.zeros(8, np.uint8), 1, 4, 200)
    with pytest.raises(ValueError, match="below 2\\*\\*62"):
        INDEX_CODES["gamma"].read(np.array([0] * 70 + [1] * 71, np.uint8), 1, 4, 0)
