"""Numbers as they lie in memory: bits of bfloat16 or float32.

numpy has no bfloat16, the upper half of the bits of a float32. A kernel that reads with `number` and writes
with `stored` serves arrays of ``uint16`` (the bits of bfloat16) and of ``uint32`` (those of float32).
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_WORD, _HALF, _FLOAT = ir.IntType(32), ir.IntType(16), ir.FloatType()


def _number(typingctx, value):
    """The number that some bits stand for."""

    def widen(context, builder, signature, args):
        word = builder.shl(builder.zext(args[0], _WORD), _WORD(16))
        return builder.bitcast(word, _FLOAT)

    def reinterpret(context, builder, signature, args):
        return builder.bitcast(args[0], _FLOAT)

    return types.float32(value), {types.uint16: widen, types.uint32: reinterpret}[value]


def _stored(typingctx, value, array):
    """A number as `array` stores it; bfloat16 is rounded to the nearest, halves to even."""

    def word(context, builder, signature, args):
        return builder.bitcast(context.cast(builder, args[0], value, types.float32), _WORD)

    def narrow(context, builder, signature, args):
        whole = word(context, builder, signature, args)
        odd = builder.and_(builder.lshr(whole, _WORD(16)), _WORD(1))
        rounded = builder.add(whole, builder.add(odd, _WORD(0x7FFF)))
        return builder.trunc(builder.lshr(rounded, _WORD(16)), _HALF)

    return array.dtype(value, array), {types.uint16: narrow, types.uint32: word}[array.dtype]


def _power_of_two(typingctx, exponent):
    """2 to a whole exponent, -126 ... 127, as a ``float32``."""

    def codegen(context, builder, signature, args):
        word = builder.shl(builder.add(args[0], _WORD(127)), _WORD(23))
        return builder.bitcast(word, _FLOAT)

    return types.float32(types.int32), codegen


number: Any = intrinsic(_number)
stored: Any = intrinsic(_stored)
power_of_two: Any = intrinsic(_power_of_two)
