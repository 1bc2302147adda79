"""Sparse values around centres: a message worked out by hand, cutting a row, and what is refused."""

from __future__ import annotations

import pytest
import torch

from algorithms.payloads import CentredValues, Sparse, decode

INT16 = torch.int16


def two_groups(code: str = "fixed") -> Sparse:
    codes = torch.tensor([0, 3, 1, 2], dtype=INT16)  # + low, - high, then + high, - low of the second group
    centres = torch.tensor([[1.0, 2.0], [0.5, 4.0]])
    values = CentredValues(codes, torch.tensor([2]), torch.tensor([1, 3]), centres, 2)
    return Sparse(41, torch.tensor([0, 4]), torch.tensor([3, 10, 11, 40]), values, code)


def test_a_message_by_hand() -> None:
    payload = two_groups()
    assert payload.floats().tolist() == [1.0, -4.0, 4.0, -0.5]
    # 2 bits, 2 groups; four centres; gamma of 1 and 3: 1 011; codes 00 11 01 10, and 4 bits of padding; 6-bit indices
    own, centres = "02 02000000", "0000803f 00000040 0000003f 00008040"
    assert payload.encode(0) == bytes.fromhex(f"02 00 00 18 29000000 04000000 {own} {centres} b360 0ca2e8")
    wire = payload.wire.sum()
    assert [int(part) for part in (wire.values, wire.indices, wire.scales, wire.header)] == [8, 24, 128, 96 + 40 + 8]


def test_one_group_needs_no_length() -> None:
    values = CentredValues(
        torch.tensor([0, 1, 0], dtype=INT16), torch.tensor([1]), torch.tensor([3]), torch.ones(1, 1), 1
    )
    payload = Sparse(4, torch.tensor([0, 3]), torch.tensor([0, 1, 3]), values, "bitmap")
    assert payload.encode(0) == bytes.fromhex("02 03 00 18 04000000 03000000 01 01000000 0000803f 40 d0")


@pytest.mark.parametrize(("start", "stop", "lengths"), [(0, 4, [1, 3]), (2, 4, [2]), (0, 2, [1, 1]), (1, 1, [])])
def test_a_part_of_a_row(start: int, stop: int, lengths: list[int]) -> None:
    whole = two_groups()
    assert isinstance(whole.coded, CentredValues)
    part = whole.coded.between(start, stop)
    cut = Sparse(41, torch.tensor([0, stop - start]), whole.indices[start:stop], part)
    assert part.lengths.tolist() == lengths
    assert cut.floats().tolist() == whole.floats()[start:stop].tolist()
    assert decode(cut.encode(0)).equals(cut)


def centred(**options: object) -> Sparse:
    given = {
        "codes": torch.tensor([0, 1], dtype=INT16),
        "groups": torch.tensor([1]),
        "lengths": torch.tensor([2]),
        "centres": torch.ones(1, 1),
        "bits": 1,
    }
    values = CentredValues(**{**given, **options})  # type: ignore[arg-type]
    return Sparse(9, torch.tensor([0, 2]), torch.tensor([1, 2]), values)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bits": 3}, "bits: expected 1 or 2, got 3"),
        ({"codes": torch.tensor([0, 1])}, "codes: expected int16"),
        ({"codes": torch.tensor([0, 2], dtype=INT16)}, "codes: expected codes of 1 bits"),
        ({"lengths": torch.tensor([3])}, "lengths: expected to add up"),
        ({"lengths": torch.tensor([2, 0]), "groups": torch.tensor([2])}, "lengths: expected at least 1"),
        ({"centres": torch.ones(1, 2)}, "centres: expected float32"),
    ],
)
def test_bad_input_is_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=rf"CentredValues\.{message}"):
        centred(**options)


def test_only_values_of_as_many_bits_join() -> None:
    with pytest.raises(ValueError, match="as many bits"):
        Sparse.join([centred(), centred(bits=2, centres=torch.ones(1, 2))])
