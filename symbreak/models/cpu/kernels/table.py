"""Functions of bfloat16 by their tables: there are only 65536 such numbers."""

import numpy as np

from symbreak.models.cpu.kernels.numbers import number, stored
from symbreak.numerics.compiling import kernel


@kernel
def look_up(table, arguments, values):
    """Fill `values` with the entries of `table` at the bits of `arguments`, all of two axes."""
    for row in range(arguments.shape[0]):
        for j in range(arguments.shape[1]):
            values[row, j] = table[arguments[row, j]]


@kernel
def look_up_times(table, arguments, factors, products):
    """Fill `products` with entries of `table`, numbers, times `factors`; all but the table are bits."""
    found = np.empty(arguments.shape[1], table.dtype)
    for row in range(arguments.shape[0]):
        for j in range(found.size):  # apart, for only the loop below goes through several at once
            found[j] = table[arguments[row, j]]
        for j in range(found.size):
            products[row, j] = stored(found[j] * number(factors[row, j]), products)
