"""Edges: d = 1, k = d, empty rows, bad input, the fixed order of sums, sums on the way."""

import pytest
import torch

from algorithms.payloads import Bits, Dense, Quantised, QuantisedValues, SharedValues, Signs, SignValues, Sparse, decode


@pytest.mark.parametrize("code", ["auto", "fixed", "gamma", "rice", "bitmap", "block"])
def test_one_coordinate_and_all_coordinates(code: str) -> None:
    single = Sparse(1, torch.tensor([0, 1, 1]), torch.tensor([0]), torch.tensor([7.0]), code)
    full = Sparse.rows_of(5, torch.arange(5).repeat(2, 1), torch.ones(2, 5), index_code=code)
    for payload in (single, full):
        for row in range(2):
            assert len(payload.encode(row)) == payload.bytes[row]
            assert decode(payload.encode(row)).equals(payload.select(slice(row, row + 1)))
    assert single.dense().tolist() == [[7.0], [0.0]]
    assert full.entropy.indices.tolist() == [0.0, 0.0]


def test_rows_may_all_be_empty() -> None:
    payload = Sparse.nonzeros(torch.zeros(3, 4))
    assert payload.bytes.tolist() == [12, 12, 12]
    assert decode(payload.encode(1)).equals(payload.select(slice(1, 2)))
    assert payload.mean(torch.ones(3), [slice(0, 3)]).tolist() == [0.0] * 4


def test_no_rows_at_all() -> None:
    chunks: list[slice] = []
    for payload in (Dense(torch.zeros(0, 4)), Sparse.nonzeros(torch.zeros(0, 4)), Signs.of(torch.zeros(0, 4))):
        assert payload.bytes.tolist() == []
        assert payload.entropy.total.tolist() == []
        assert payload.mean(torch.zeros(0), chunks).tolist() == [0.0] * 4
    empty = Quantised(4, torch.zeros(0, 4, dtype=torch.int8), torch.zeros(0, 2), 3, 1)
    assert empty.bytes.tolist() == [] and empty.dense().shape == (0, 4)


def test_nonzeros_keeps_what_is_not_zero() -> None:
    matrix = torch.tensor([[0.0, -1.0, -0.0, 2.0], [0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, float("nan")]])
    payload = Sparse.nonzeros(matrix)
    assert payload.indptr.tolist() == [0, 2, 2, 4]
    assert payload.indices.tolist() == [1, 3, 0, 3]
    assert payload.equals(Sparse.nonzeros(matrix.T.contiguous().T))
    assert decode(payload.encode(2)).equals(payload.select(slice(2, 3)))  # a NaN travels too


def test_rows_are_added_in_row_order() -> None:
    big, small = 2.0**24, 1.0  # 2**24 + 1 rounds back to 2**24 in float32: the order shows
    column = torch.tensor([[big], [small], [small], [-big]])
    payload = Sparse.rows_of(1, torch.zeros(4, 1, dtype=torch.int64), column)
    total = torch.zeros(1)
    payload.add_to(total)
    assert total.tolist() == [0.0]
    assert payload.mean(torch.ones(4), [slice(0, 1), slice(1, 3), slice(3, 4)]).tolist() == [2.0]
    assert Dense(column).fold([slice(0, 1), slice(1, 3), slice(3, 4)]).values.tolist() == [[2.0]]


def test_weights_belong_to_rows_and_are_rounded_before_adding() -> None:
    payload = Dense(torch.tensor([[1.0], [2.0], [4.0]]))
    total = torch.ones(1)
    payload.add_to(total, slice(1, 3), torch.tensor([100.0, 0.5, 0.25], dtype=torch.float64))
    assert total.tolist() == [3.0]


@pytest.mark.parametrize("chunks", [[slice(0, 1)], [slice(1, 2), slice(0, 1)], [slice(0, 2), slice(1, 2)], []])
def test_chunks_must_cover_the_rows_in_order(chunks: list[slice]) -> None:
    with pytest.raises(ValueError, match="chunks: expected consecutive blocks that cover 2 rows"):
        Dense(torch.ones(2, 1)).mean(torch.ones(2), chunks)
    with pytest.raises(ValueError, match="weights: expected shape \\(2,\\)"):
        Dense(torch.ones(2, 1)).mean(torch.ones(3), [slice(0, 2)])


def test_dense_merges_with_rounding_to_its_format() -> None:
    a, b = Dense.rounded(torch.tensor([[2048.0, 1.0]]), "fp16"), Dense.rounded(torch.tensor([[1.0, 2.0]]), "fp16")
    assert (a + b).values.tolist() == [[2048.0, 3.0]]  # 2049 is no fp16 number
    assert (a + b).kind == "fp16"
    assert Dense.join([a, b]).fold([slice(0, 2)]).values.tolist() == [[2048.0, 3.0]]
    with pytest.raises(ValueError, match="summand"):
        a + Dense(torch.ones(1, 2))


def test_values_that_are_not_of_the_format_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="already rounded to fp16"):
        Dense(torch.tensor([[0.1]]), "fp16").encode(0)
    assert Dense(torch.ones(1, 1, dtype=torch.float64)).kind == "fp64"


def test_equals_is_bit_for_bit() -> None:
    assert not Dense(torch.tensor([[0.0]])).equals(Dense(torch.tensor([[-0.0]])))
    assert Dense(torch.tensor([[float("nan")]])).equals(Dense(torch.tensor([[float("nan")]])))
    assert not Dense(torch.zeros(1, 1)).equals(Signs.of(torch.zeros(1, 1)))


def test_joins_must_agree() -> None:
    with pytest.raises(ValueError, match="one kind"):
        Dense.join([Dense(torch.ones(1, 2)), Dense(torch.ones(1, 2), "bf16")])
    with pytest.raises(ValueError, match="paper bits"):
        Dense.join([Dense(torch.ones(1, 2)), Dense(torch.ones(1, 2), paper=Bits.of(1))])
    with pytest.raises(ValueError, match="scales on all"):
        Signs.join([Signs.of(torch.ones(1, 2)), Signs.of(torch.ones(1, 2), torch.ones(1))])
    with pytest.raises(ValueError, match="one form"):
        one, zero = torch.tensor([0, 1]), torch.tensor([0])
        Sparse.join([Sparse(2, one, zero, torch.ones(1)), Sparse(2, one, zero, SharedValues(torch.ones(1)))])


INT16, ONE = torch.int16, torch.ones(1)


def single(level: int, bucket: int = 1, s: int = 1, code: str = "auto") -> Quantised:
    return Quantised(1, torch.tensor([[level]], dtype=INT16), torch.ones(1, 1), bucket, s, code)


BAD = [
    (lambda: Dense(torch.ones(3)), "Dense.values: expected shape"),
    (lambda: Dense(torch.ones(1, 1), "fp8"), "Dense.kind: expected one of auto, fp32"),
    (lambda: Dense(torch.ones(1, 1), "fp64"), "Dense.values: expected torch.float64"),
    (lambda: Sparse(4, torch.tensor([0, 2]), torch.tensor([1, 1]), torch.ones(2)), "increasing indices in 0..3"),
    (lambda: Sparse(4, torch.tensor([0, 1]), torch.tensor([4]), ONE), "increasing indices in 0..3"),
    (lambda: Sparse(4, torch.tensor([0, 1]), torch.tensor([-1]), ONE), "increasing indices in 0..3"),
    (lambda: Sparse(4, torch.tensor([0, 2]), torch.tensor([1]), ONE), "Sparse.indptr: expected to rise from 0 to 1"),
    (lambda: Sparse(4, torch.tensor([0, 1]), torch.tensor([1.0]), ONE), "Sparse.indices: expected int32 or int64"),
    (lambda: Sparse(4, torch.tensor([0, 1]), torch.tensor([1]), torch.ones(2)), "Sparse.values: expected shape"),
    (lambda: Sparse(0, torch.tensor([0]), torch.tensor([], dtype=torch.int64), torch.ones(0)), "Sparse.size"),
    (lambda: Sparse(4, torch.tensor([0, 1]), torch.tensor([1]), ONE, "zip"), "Sparse.index_code: expected one of auto"),
    (lambda: Sparse.rows_of(4, torch.tensor([[1]]), ONE), "Sparse.rows_of: expected indices and values of one shape"),
    (lambda: Sparse(4, torch.tensor([0, 1]), torch.tensor([1]), SignValues(ONE)), "SignValues.bits: expected bool"),
    (lambda: Sparse.rows_of(4, torch.tensor([[1]]), SharedValues(torch.ones(2))), "SharedValues.scales"),
    (lambda: Sparse.rows_of(4, torch.tensor([[1]]), QuantisedValues(ONE.short(), torch.ones(2), 1)), "Values.scales"),
    (lambda: Sparse.rows_of(4, torch.tensor([[1]]), QuantisedValues(ONE.short(), ONE, 1, -1)), "Values.bucket"),
    (lambda: Signs(2, torch.ones(1, 2)), "Signs.bits: expected bool"),
    (lambda: Signs(2, torch.ones(1, 2) > 0, torch.ones(2)), "Signs.scales: expected float32"),
    (lambda: single(3, s=2), "levels in -2..2, got 3..3"),
    (lambda: Quantised(1, torch.tensor([[3]]), torch.ones(1, 1), 1, 3), "Quantised.levels: expected int8"),
    (lambda: Quantised(3, torch.zeros(1, 3).short(), torch.ones(1, 1), 2, 1), "Quantised.scales: expected float32"),
    (lambda: single(0, bucket=0), "Quantised.bucket: expected at least"),
    (lambda: single(0, s=0), "Quantised.s: expected a largest"),
    (lambda: single(0, code="x"), "Quantised.level_code: expected"),
]


@pytest.mark.parametrize(("build", "message"), BAD)
def test_bad_input_is_named(build, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.gpu
def test_payloads_say_the_same_on_a_gpu() -> None:
    kept = Sparse.nonzeros(torch.randn(5, 30).relu())
    levels = torch.randint(-3, 4, (5, 30), dtype=INT16)
    signs = Signs.of(torch.randn(5, 30), torch.rand(5))
    for payload in (kept, Quantised(30, levels, torch.rand(5, 4), 8, 3), signs, Dense(torch.randn(5, 30))):
        there = payload.to("cuda")
        assert there.equals(payload) and there.bytes.tolist() == payload.bytes.tolist()
        assert there.encode(3) == payload.encode(3)
        chunks = [slice(0, 2), slice(2, 5)]
        mean = there.mean(torch.full((5,), 0.2), chunks)
        assert torch.equal(mean, there.mean(torch.full((5,), 0.2), chunks))
        torch.testing.assert_close(mean.cpu(), payload.mean(torch.full((5,), 0.2), chunks))
        matrix = there.dense().clone()
        there.subtract_from(matrix)
        assert not matrix.any()
