"""Eight numbers that lie side by side, moved by single vector instructions: the compiler finds none of these by itself.

All arrays are flat and of one float type, and nothing checks that the places exist. Only compiled code may call these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

try:
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic
except ImportError:
    intrinsic = None  # type: ignore[assignment]

LANES = 8


class _Vectors:
    """Loads and stores vectors at an index of an array."""

    def __init__(self, target: Any, builder: Any, kind: Any) -> None:
        self.target, self.builder, self.kind = target, builder, kind
        self.type, self.align = ir.VectorType(target.get_value_type(kind.dtype), LANES), kind.dtype.bitwidth // 8

    def at(self, array: Any, index: Any) -> Any:
        data = self.target.make_array(self.kind)(self.target, self.builder, array).data
        return self.builder.bitcast(self.builder.gep(data, [index]), self.type.as_pointer())

    def load(self, where: Any) -> Any:
        return self.builder.load(where, align=self.align)

    def store(self, vector: Any, where: Any) -> None:
        self.builder.store(vector, where, align=self.align)

    def shuffle(self, a: Any, b: Any, lanes: list[int]) -> Any:
        return self.builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), LANES), lanes))


def _add_lanes(context: Any, table: Any, place: Any, values: Any, start: Any, sign: Any) -> Any:
    signature = types.void(table, types.uint64, values, types.uint64, table.dtype)

    def build(target: Any, builder: Any, _: Any, arguments: Any) -> Any:
        to, at, source, begin, factor = arguments
        vectors = _Vectors(target, builder, table)
        nothing = ir.Constant(vectors.type, ir.Undefined)
        one = builder.insert_element(nothing, factor, ir.Constant(ir.IntType(32), 0))
        signed = builder.fmul(vectors.load(vectors.at(source, begin)), vectors.shuffle(one, nothing, [0] * LANES))
        where = vectors.at(to, at)
        vectors.store(builder.fadd(vectors.load(where), signed), where)
        return target.get_dummy_value()

    return signature, build


def _turn_square(context: Any, values: Any, start: Any, stride: Any, out: Any, place: Any) -> Any:
    signature = types.void(values, types.uint64, types.uint64, out, types.uint64)

    def build(target: Any, builder: Any, _: Any, arguments: Any) -> Any:
        source, begin, step, to, at = arguments
        vectors = _Vectors(target, builder, values)

        def number(n: int) -> Any:
            return ir.Constant(ir.IntType(64), n)

        rows = [
            vectors.load(vectors.at(source, builder.add(begin, builder.mul(step, number(lane)))))
            for lane in range(LANES)
        ]
        for half in (1, 2, 4):  # exchange blocks of 1, 2 and 4 lanes across the diagonal
            kept = [j if not j & half else LANES + j - half for j in range(LANES)]
            others = [j + half if not j & half else LANES + j for j in range(LANES)]
            for i in range(LANES):
                if not i & half:
                    a, b = rows[i], rows[i + half]
                    rows[i], rows[i + half] = vectors.shuffle(a, b, kept), vectors.shuffle(a, b, others)
        for lane, row in enumerate(rows):
            vectors.store(row, vectors.at(to, builder.add(at, number(lane * LANES))))
        return target.get_dummy_value()

    return signature, build


def _compiled(build: Callable[..., Any]) -> Callable[..., None]:
    if intrinsic is not None:
        made: Callable[..., None] = intrinsic(build)
        return made

    def missing(*_: Any) -> None:
        raise RuntimeError(f"{build.__name__.strip('_')}: expected a call from compiled code")

    return missing


add_lanes: Callable[[NDArray[Any], Any, NDArray[Any], Any, Any], None] = _compiled(_add_lanes)
"""(table, place, values, start, sign): table[place + l] += sign * values[start + l] for each lane l."""
turn_square: Callable[[NDArray[Any], Any, Any, NDArray[Any], Any], None] = _compiled(_turn_square)
"""(values, start, stride, out, place): out[place + 8 j + l] = values[start + l stride + j] for l and j in 0..7."""
