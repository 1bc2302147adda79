"""Laws that every payload class keeps, for every code and every form of value."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from algorithms.payloads import (
    Bits,
    Bundle,
    CentredValues,
    Concat,
    Dense,
    FloatValues,
    Full,
    GroupedValues,
    Marks,
    Payload,
    Quantised,
    QuantisedValues,
    SharedValues,
    Signs,
    SignValues,
    Sketch,
    Sparse,
    decode,
)
from algorithms.sketches import CountSketch

fast = settings(max_examples=10, deadline=None)
KINDS = ("fp32", "fp16", "bf16", "fp64")


def floats(generator: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=generator).mul_(10.0)


def dense(kind: str) -> Callable[[torch.Generator, int, int], Payload]:
    return lambda g, w, d: Dense.rounded(floats(g, w, d), kind, Bits.of(w, values=np.arange(w)))


def signs(scaled: bool) -> Callable[[torch.Generator, int, int], Payload]:
    return lambda g, w, d: Signs.of(floats(g, w, d), floats(g, w) if scaled else None)


def quantised(level_code: str, bucket: int, s: int) -> Callable[[torch.Generator, int, int], Payload]:
    def build(g: torch.Generator, w: int, d: int) -> Payload:
        levels = (floats(g, w, d) * s / 20).round().clamp(-s, s).to(torch.int16)
        return Quantised(d, levels, floats(g, w, -(-d // bucket)), bucket, s, level_code)

    return build


def centred(g: torch.Generator, counts: np.ndarray, bits: int) -> CentredValues:
    halves = [[c // 2, c - c // 2] if c > 2 and r % 2 == 0 else [c] * (c > 0) for r, c in enumerate(counts.tolist())]
    lengths = torch.tensor([n for row in halves for n in row], dtype=torch.int64)
    codes = torch.randint(0, 1 << bits, (int(counts.sum()),), generator=g, dtype=torch.int16)
    return CentredValues(
        codes, torch.tensor([len(row) for row in halves]), lengths, floats(g, len(lengths), bits), bits
    )


def sketch(kind: str) -> Callable[[torch.Generator, int, int], Payload]:
    return lambda g, w, d: Sketch.of(CountSketch(d, 3, 7, 2**63 + 5), floats(g, w, d), kind)


def sparse(index_code: str, form: str) -> Callable[[torch.Generator, int, int], Payload]:
    def build(g: torch.Generator, w: int, d: int) -> Payload:
        share = torch.rand(w, 1, generator=g)  # ragged: from nearly nothing to nearly everything
        kept = Sparse.nonzeros(torch.where(torch.rand(w, d, generator=g) < share, floats(g, w, d), 0.0))
        m, counts = kept.indices.numel(), kept.ragged.counts
        if form in KINDS:
            values = FloatValues(Dense.rounded(kept.floats()[None], form).values[0], form)
        elif form.startswith("signs"):
            values = SignValues(kept.floats() > 0, floats(g, w) if form == "signs scaled" else None)
        elif form.startswith("centred"):
            values = centred(g, counts, int(form.split()[1]))
        elif form == "marks":
            values = Marks(m)
        elif form.startswith("groups"):
            values = grouped(g, w, m, int(form.split()[1]))
        elif form == "shared":
            values = SharedValues(floats(g, w))
        else:
            bucket = int(form.split()[1])
            scales = floats(g, int(sum(-(-counts // bucket))) if bucket else w)
            levels = torch.randint(-5, 6, (m,), generator=g, dtype=torch.int8)
            values = QuantisedValues(levels, scales, 5, bucket, form.split()[2])
        return Sparse(d, kept.indptr, kept.indices.to(torch.int32), values, index_code)

    return build


def concat(g: torch.Generator, w: int, d: int) -> Payload:
    first = min(d, 1 + d // 3)
    rest = (sparse("rice", "shared")(g, w, d - first),) if d > first else ()
    return Concat((Dense(floats(g, w, first)), *rest))


def grouped(g: torch.Generator, w: int, m: int, groups: int) -> GroupedValues:
    signs = torch.randint(0, 2, (m,), generator=g) * 2 - 1
    levels = (torch.randint(1, groups + 1, (m,), generator=g) * signs).to(torch.int16)
    return GroupedValues(levels, floats(g, w, groups).abs())


def full(groups: int) -> Callable[[torch.Generator, int, int], Payload]:
    return lambda g, w, d: Full(d, w, grouped(g, w, w * d, groups), Bits.of(w, values=np.arange(w)))


def bundle(g: torch.Generator, w: int, d: int) -> Payload:
    messages = [(), (Dense(floats(g, 1, d)),), tuple(sparse("rice", "signs scaled")(g, 1, d) for _ in range(2))]
    return Bundle(d, tuple(messages[row % 3] for row in range(w)), Bits.of(w, values=np.arange(w)))


GRIDS = [("auto", 3, 1), ("auto", 100, 7), ("fixed", 4, 300), ("elias", 1, 3), ("auto", 2, 30_000)]
FLOATS, LEVELS = ["fp16", "bf16", "fp64"], ["levels 0 auto", "levels 3 fixed", "levels 2 elias"]
FORMS = [*FLOATS, "signs plain", "signs scaled", "shared", "centred 1", "centred 2", "marks", "groups 1", *LEVELS]
BUILDERS = {
    **{f"dense {kind}": dense(kind) for kind in KINDS},
    **{f"sketch {kind}": sketch(kind) for kind in ("fp32", "fp16")},
    **{f"signs {scaled}": signs(scaled) for scaled in (False, True)},
    **{f"quantised {code} {bucket} {s}": quantised(code, bucket, s) for code, bucket, s in GRIDS},
    **{f"sparse {code} fp32": sparse(code, "fp32") for code in ("auto", "fixed", "gamma", "rice", "bitmap", "block")},
    **{f"full {groups}": full(groups) for groups in (1, 8, 256)},
    **{f"sparse auto {form}": sparse("auto", form) for form in FORMS},
    "concat": concat,
    "bundle": bundle,
}
every = pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS.keys())
shapes = given(seed=st.integers(0, 2**32), w=st.integers(1, 5), d=st.integers(1, 40))


def made(build: Callable[[torch.Generator, int, int], Payload], seed: int, w: int, d: int) -> Payload:
    payload = build(torch.Generator().manual_seed(seed), w, d)
    assert (payload.rows, payload.size) == (w, d)
    return payload


@every
@fast
@shapes
def test_messages_are_as_long_as_counted_and_read_back(build, seed: int, w: int, d: int) -> None:
    payload = made(build, seed, w, d)
    assert payload.bytes.dtype == np.int64
    assert (payload.wire.total == 8 * payload.bytes).all()
    for row in range(w):
        message = payload.encode(row)
        assert len(message) == payload.bytes[row]
        one = decode(message)
        assert one.equals(payload.select(slice(row, row + 1)))
        assert one.encode(0) == message
        for cut in {0, 1, len(message) // 2, len(message) - 1}:
            with pytest.raises(ValueError, match="message: expected"):
                decode(message[:cut])
        with pytest.raises(ValueError, match="message: expected"):
            decode(message + b"\0")


@every
@fast
@shapes
def test_entropy_is_a_bound_part_by_part(build, seed: int, w: int, d: int) -> None:
    payload = made(build, seed, w, d)
    wire, entropy = payload.wire, payload.entropy
    assert (entropy.values <= wire.values + 1e-6).all()
    assert (entropy.scales == wire.scales).all()
    assert (entropy.header == 0).all()
    assert (entropy.indices <= wire.indices + 1e-6).all()


@every
@fast
@shapes
def test_select_and_join_undo_each_other(build, seed: int, w: int, d: int) -> None:
    payload = made(build, seed, w, d)
    rows = torch.randperm(w, generator=torch.Generator().manual_seed(seed))
    singles = [payload.select(slice(row, row + 1)) for row in range(w)]
    assert type(payload).join(singles).equals(payload)
    shuffled = payload.select(rows)
    assert shuffled.equals(type(payload).join([singles[row] for row in rows.tolist()]))
    assert (shuffled.bytes == payload.bytes[rows.numpy()]).all()
    assert payload.select(slice(0, 0)).rows == 0
    assert payload.to("cpu").equals(payload)
    if payload.paper is not None:
        assert shuffled.paper.values.tolist() == rows.tolist()


@every
@fast
@shapes
def test_sums_follow_the_dense_rows_and_do_not_depend_on_hosting(build, seed: int, w: int, d: int) -> None:
    payload = made(build, seed, w, d)
    generator = torch.Generator().manual_seed(seed)
    weights, rows = torch.rand(w, generator=generator, dtype=torch.float64), payload.dense()
    assert rows.shape == (w, d) and rows.dtype == payload.dtype
    total = torch.zeros(d, dtype=torch.float64)
    payload.add_to(total, slice(0, w), weights)
    torch.testing.assert_close(total, (weights[:, None] * rows.double()).sum(0), rtol=1e-12, atol=1e-12)
    partial = torch.zeros(d, dtype=torch.float64)
    payload.add_to(partial, slice(1, w))
    torch.testing.assert_close(partial, rows[1:].double().sum(0), rtol=1e-12, atol=1e-12)
    chunks = [slice(i, min(i + 2, w)) for i in range(0, w, 2)]
    whole = payload.mean(weights, chunks)
    folded = None
    for chunk in chunks:  # as a driver does that hosts each chunk on its own
        part = payload.select(chunk)
        mean = part.mean(weights[chunk], [slice(0, part.rows)])
        folded = mean if folded is None else folded + mean
    assert whole.dtype == payload.dtype
    assert torch.equal(whole, folded)


@every
@fast
@shapes
def test_subtracting_what_was_sent_leaves_exactly_nothing(build, seed: int, w: int, d: int) -> None:
    payload = made(build, seed, w, d)
    matrix = payload.dense().clone()
    payload.subtract_from(matrix)
    assert not matrix.any()
    wide = torch.ones(w, 2 * d)
    payload.subtract_from(wide[:, :d])  # a view that is not contiguous, of another dtype than fp64 payloads
    assert torch.equal(wide[:, :d], 1 - payload.dense().float())
    assert (wide[:, d:] == 1).all()
    with pytest.raises(ValueError, match="matrix: expected shape"):
        payload.subtract_from(torch.zeros(w, d + 1))


@every
def test_damaged_messages_raise_nothing_but_value_errors(build) -> None:
    generator = np.random.default_rng(5)
    message = made(build, 7, 2, 20).encode(1)
    for _ in range(200):
        damaged = bytearray(message)
        at = generator.integers(len(damaged)) if generator.random() < 0.5 else generator.integers(min(14, len(damaged)))
        damaged[at] ^= 1 << generator.integers(8)
        try:
            assert decode(bytes(damaged)).rows == 1
        except ValueError as error:
            assert "expected" in str(error)
