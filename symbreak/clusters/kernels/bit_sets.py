"""Sets of labels as rows of 64-bit words, and the adjacency of general matrices."""

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from symbreak.numerics.compiling import kernel

ONE = np.uint64(1)
ZERO = np.uint64(0)


def _trailing_zeros(typingctx, word):
    """Position of the lowest set bit of a word that is not zero (one machine instruction)."""

    def codegen(context, builder, signature, args):
        return builder.cttz(args[0], context.get_constant(types.boolean, True))

    return types.uint64(types.uint64), codegen


def _population(typingctx, word):
    """Number of set bits of a word (one machine instruction)."""

    def codegen(context, builder, signature, args):
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


trailing_zeros: Any = intrinsic(_trailing_zeros)
population: Any = intrinsic(_population)


@kernel
def n_words(n_labels):
    """Words that a set of so many labels needs."""
    return (n_labels + 63) >> 6


@kernel
def add(bits, label):
    """Put a label into a set."""
    bits[label >> 6] |= ONE << np.uint64(label & 63)


@kernel
def discard(bits, label):
    """Take a label out of a set."""
    bits[label >> 6] &= ~(ONE << np.uint64(label & 63))


@kernel
def holds(bits, label):
    """Whether a set holds a label."""
    return (bits[label >> 6] >> np.uint64(label & 63)) & ONE != ZERO


@kernel
def lowest(bits, word):
    """Smallest label of a set that has no label in words before `word`, or -1; also the word."""
    while word < bits.size:
        if bits[word] != ZERO:
            return (word << 6) + np.int64(trailing_zeros(bits[word])), word
        word += 1
    return np.int64(-1), word


@kernel
def count_bits(bits):
    """Number of labels in a set."""
    total = np.int64(0)
    for word in range(bits.size):
        total += np.int64(population(bits[word]))
    return total


@kernel
def drop_steps(matrix, maximum, cuts, table, steps):
    """Fill `steps` with the number of ascending cuts below every element of the matrix.

    A table over equal bins of the field gives a start that is never too large, a few steps do the
    rest: element v survives exactly at the thresholds 0 ... steps - 1.
    """
    bins = table.size
    scale = bins / maximum if bins / maximum < np.inf else 0.0
    table[:] = 0
    for step in range(cuts.size):
        start = min(int(cuts[step] * scale), bins - 1) + 1
        if start < bins:
            table[start] += 1
    for position in range(1, bins):
        table[position] += table[position - 1]
    for row in range(matrix.shape[0]):
        for column in range(matrix.shape[1]):
            value = matrix[row, column]
            step = 0
            if value > cuts[0]:
                step = table[min(int(value * scale), bins - 1)]
                while step < cuts.size and value > cuts[step]:
                    step += 1
            steps[row, column] = step


@kernel
def link_pairs(steps, n_cuts, ones, heads, links):
    """Count the ones of every threshold and chain the label pairs by the last threshold they survive.

    Pair (i, j) lives while both elements and both diagonal elements do. ``heads[t]`` starts the chain
    of pairs that vanish after step t - 1, ``links[i, j]`` goes on with it (-1 ends).
    """
    n_labels = steps.shape[0]
    ones[:] = 0
    heads[:] = -1
    for row in range(n_labels):
        for column in range(n_labels):
            ones[steps[row, column]] += 1
    # ones[s] counts elements that survive exactly s thresholds; summed from above it is the count at s - 1.
    for step in range(n_cuts - 1, -1, -1):
        ones[step] += ones[step + 1]
    for row in range(n_labels):
        own = steps[row, row]
        if own == 0:
            continue
        for column in range(row, n_labels):
            last = min(min(own, steps[column, column]), min(steps[row, column], steps[column, row]))
            if last > 0:
                links[row, column] = heads[last]
                heads[last] = row * n_labels + column


@kernel
def add_chain(first, links, rows, candidates):
    """Put the pairs of one chain into the adjacency rows, the diagonal ones into the candidates."""
    n_labels = links.shape[0]
    pair = first
    while pair >= 0:
        row, column = pair // n_labels, pair % n_labels
        add(rows[row], column)
        add(rows[column], row)
        if row == column:
            add(candidates, row)
        pair = links[row, column]
