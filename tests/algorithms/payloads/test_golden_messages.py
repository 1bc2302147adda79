"""Whole messages worked out by hand: tag, header (little-endian), sections."""

import numpy as np
import pytest
import torch

from algorithms.payloads import Bits, Dense, Quantised, QuantisedValues, SharedValues, Signs, SignValues, Sparse, decode


def split(bits: Bits) -> list[list[int]]:
    return [bits.values.tolist(), bits.indices.tolist(), bits.scales.tolist(), bits.header.tolist()]


@pytest.mark.parametrize(
    ("kind", "text", "value_bits"),
    [
        ("fp32", "01 00 02000000 0000803f 000000c0", 64),
        ("fp16", "01 01 02000000 003c 00c0", 32),
        ("bf16", "01 02 02000000 803f 00c0", 32),
        ("fp64", "01 03 02000000 000000000000f03f 00000000000000c0", 128),
    ],
)
def test_dense(kind: str, text: str, value_bits: int) -> None:
    payload = Dense.rounded(torch.tensor([[1.0, -2.0]]), kind)
    assert payload.encode(0) == bytes.fromhex(text)
    assert split(payload.wire) == [[value_bits], [0], [0], [48]]
    assert payload.merged_bytes(5) == payload.bytes[0]


def test_signs_map_zero_to_plus_and_pad_with_zeros() -> None:
    row = torch.tensor([[1.0, -1.0, 0.0, -2.0, -3.0, -0.5, -1.0, 9.0, -0.0, -1.0]])  # +-+----+ +-
    plain, scaled = Signs.of(row), Signs.of(row, torch.tensor([0.5]))
    assert plain.encode(0) == bytes.fromhex("03 00 0a000000 a180")
    assert scaled.encode(0) == bytes.fromhex("03 01 0a000000 0000003f a180")
    assert split(scaled.wire) == [[10], [0], [32], [48 + 6]]
    assert plain.pack().tolist() == [[0xA1, 0x80]]
    assert scaled.dense().tolist() == [[0.5, -0.5, 0.5, -0.5, -0.5, -0.5, -0.5, 0.5, 0.5, -0.5]]
    assert plain.dense()[0, 8] == 1.0


INDICES = torch.tensor([3, 10, 11, 40])
FLOATS = "0000803f 00000040 00004040 00008040"


@pytest.mark.parametrize(
    ("code", "head", "tail", "index_bits"),
    [
        ("fixed", "00 00", "0ca2e8", 24),
        ("gamma", "01 00", "21e1d0", 20),
        ("rice", "02 03", "360e80", 19),
        ("bitmap", "03 00", "103000000080", 41),
        ("auto", "02 03", "360e80", 19),
    ],
)
def test_sparse_floats(code: str, head: str, tail: str, index_bits: int) -> None:
    payload = Sparse(41, torch.tensor([0, 4]), INDICES, torch.tensor([1.0, 2.0, 3.0, 4.0]), code)
    assert payload.encode(0) == bytes.fromhex(f"02 {head} 00 29000000 04000000 {FLOATS} {tail}")
    assert split(payload.wire) == [[128], [index_bits], [0], [96 + -index_bits % 8]]


def test_sparse_forms_of_values() -> None:
    tail = "360e80"  # the indices, 19 bits by Rice's code
    signs = SignValues(torch.tensor([True, False, True, True]), torch.tensor([0.5]))
    payload = Sparse(41, torch.tensor([0, 4]), INDICES, signs)
    assert payload.encode(0) == bytes.fromhex(f"02 02 03 11 29000000 04000000 0000003f b0 {tail}")
    assert split(payload.wire) == [[4], [19], [32], [96 + 4 + 5]]
    shared = Sparse(41, torch.tensor([0, 4]), INDICES, SharedValues(torch.tensor([-0.5])))
    assert shared.encode(0) == bytes.fromhex(f"02 02 03 12 29000000 04000000 000000bf {tail}")
    assert split(shared.wire) == [[0], [19], [32], [96 + 5]]
    assert shared.floats().tolist() == [-0.5] * 4
    levels = torch.tensor([0, 1, -3, 2], dtype=torch.int8)
    values = QuantisedValues(levels, torch.tensor([3.0, 6.0]), 3, bucket=2)
    quantised = Sparse(41, torch.tensor([0, 4]), INDICES, values)
    own = "00 02000000 03000000"
    scales = "00004040 0000c040"
    assert quantised.encode(0) == bytes.fromhex(f"02 02 03 13 29000000 04000000 {own} {scales} 07a0 {tail}")
    assert split(quantised.wire) == [[12], [19], [64], [96 + 72 + 4 + 5]]
    assert quantised.floats().tolist() == [0.0, 1.0, -6.0, 4.0]


def test_quantised_takes_the_shorter_level_code() -> None:
    levels = torch.tensor([[0, 1, -3, 2], [0, 0, 0, -1]], dtype=torch.int16)
    payload = Quantised(4, levels, torch.tensor([[3.0, 6.0], [3.0, 3.0]]), 2, 3)
    head, scales = "04000000 02000000 03000000", "00004040 0000c040"
    assert payload.encode(0) == bytes.fromhex(f"04 00 {head} {scales} 07a0")  # 000 001 111 010
    assert payload.encode(1) == bytes.fromhex(f"04 01 {head} 00004040 00004040 ea")  # 1 1 1 010.1 and padding
    assert split(payload.wire) == [[12, 7], [0, 0], [64, 64], [112 + 4, 112 + 1]]
    assert payload.dense().tolist() == [[0.0, 1.0, -6.0, 4.0], [0.0, 0.0, 0.0, -1.0]]
    assert Quantised(4, levels[:1], payload.scales[:1], 2, 3, "elias").encode(0)[-2:] == bytes.fromhex("a12c")
    # -3/4 log2(3/4) - 1/4 log2(1/4) bits a level; four different levels have 2 bits each
    assert payload.entropy.values == pytest.approx([8.0, 3.2451125])


def test_unknown_tags_and_headers_are_errors() -> None:
    with pytest.raises(ValueError, match="tag byte among .*, got an empty message"):
        decode(b"")
    with pytest.raises(ValueError, match="got 99"):
        decode(bytes([99]))
    with pytest.raises(ValueError, match="number format below 4, got 9"):
        decode(bytes.fromhex("01 09 00000000"))
    with pytest.raises(ValueError, match="expected tag byte 1, got 3"):
        Dense.decode(bytes.fromhex("03 00 0a000000 a180"))
    with pytest.raises(ValueError, match="form of values"):
        decode(bytes.fromhex("02 00 00 0f 04000000 00000000"))
    with pytest.raises(ValueError, match="at most d = 4"):
        decode(bytes.fromhex("02 00 00 12 04000000 05000000 0000803f"))


def test_bits_add_select_and_sum() -> None:
    bits = Bits.of(3, values=np.array([1, 2, 3]), header=8) + Bits.of(3, scales=32, indices=np.array([0.5, 0.0, 0.0]))
    assert bits.total.tolist() == [41.5, 42.0, 43.0]
    assert bits.values.dtype == np.int64 and bits.indices.dtype == np.float64
    assert (int(bits.sum().values), float(bits.sum().total)) == (6, 126.5)
    assert bits.select(torch.tensor([2, 0])).values.tolist() == [3, 1]
    assert Bits.join([bits, bits.select(slice(0, 1))]).values.tolist() == [1, 2, 3, 1]
    with pytest.raises(ValueError, match="parts of one shape"):
        Bits(np.zeros(2), np.zeros(2), np.zeros(3), np.zeros(2))
