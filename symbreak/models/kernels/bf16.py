"""bfloat16, the upper half of the bits of a float32, there and back."""

import numpy as np

from symbreak.matrices.compiled import kernel

_HALF, _16, _1 = np.uint32(0x7FFF), np.uint32(16), np.uint32(1)


@kernel
def widened(bits, numbers):
    """Fill the first of `numbers`, ``float32``, with those that `bits` are."""
    words = numbers.view(np.uint32)
    for j in range(len(bits)):
        words[j] = np.uint32(bits[j]) << _16


@kernel
def rounded(numbers, bits):
    """Fill `bits` with the first of `numbers`, rounded to the nearest, halves to even."""
    words = numbers.view(np.uint32)
    for j in range(len(bits)):
        bits[j] = (words[j] + _HALF + ((words[j] >> _16) & _1)) >> _16
