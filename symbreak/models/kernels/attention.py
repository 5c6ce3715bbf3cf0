"""Dropped attention weights and the gradient of the scores: what lies between the products of matrices.

One array holds the weights and which of them were dropped: those have their sign turned, so that the modulus
is the weight and the positive part is what was kept. Each kernel goes once through what lies in the cache,
where the operations of PyTorch would go six times. bfloat16 comes as its bits, for numpy has no such numbers.
"""

import numpy as np

from symbreak.matrices.compiled import kernel
from symbreak.models.kernels.bf16 import rounded, widened

#: Dropout draws 15 random bits for each weight.
STEPS = 2**15
_LOW_BITS = np.uint16(STEPS - 1)
#: Weights of one round, four to a word of random bits.
_ROUND = 2048
_GOLDEN, _FIRST, _SECOND = (
    np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
#: The sign of a bfloat16, and zero.
_SIGN, _0 = np.uint16(0x8000), np.uint16(0)
_30, _27, _31 = (np.uint64(shift) for shift in (30, 27, 31))


@kernel
def random_words(words, seed, first):
    """Fill with the numbers `first`, `first` + 1, ... of the generator SplitMix64 with this seed.

    Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. Every number
    is a function of its place alone.
    """
    for i in range(words.size):
        word = seed + np.uint64(first + i + 1) * _GOLDEN
        word = (word ^ (word >> _30)) * _FIRST
        word = (word ^ (word >> _27)) * _SECOND
        words[i] = word ^ (word >> _31)


@kernel
def _mark(weights, kept, bits, threshold):
    """Turn the sign of the weights whose bits are below the threshold; `kept` gets the others, and zeros."""
    for i in range(weights.size):
        weight, dropped = weights[i], (bits[i] & _LOW_BITS) < threshold
        weights[i] = weight | weights.dtype.type(1 << (8 * weights.itemsize - 1)) if dropped else weight
        kept[i] = weights.dtype.type(0) if dropped else weight


@kernel
def drop(weights, kept, seed, first, threshold):
    """Turn the sign of `threshold` in `STEPS` of the weights; `kept` gets the others, and zeros.

    Both are the bits of numbers that are not negative, as unsigned integers on one axis; `first` is how many
    random words were used before.
    """
    words = np.empty(_ROUND // 4, np.uint64)
    bits = words.view(np.uint16)
    for start in range(0, weights.size, _ROUND):
        stop = min(start + _ROUND, weights.size)
        random_words(words, seed, first)
        _mark(weights[start:stop], kept[start:stop], bits, threshold)
        first += words.size


@kernel(reorder=True)
def scores_gradient(weights, gradient, kept):
    r"""Turn the gradient of the kept weights into that of the scores, in place.

    With weights :math:`p` of a query, :math:`k = p` where kept and 0 elsewhere, and :math:`g` the gradient of
    :math:`k`: :math:`\partial s_j = k_j g_j - p_j \sum_i k_i g_i`, the gradient of a softmax (Bridle, 1990,
    "Probabilistic interpretation of feedforward classification network outputs"). ``kept`` gets k.

    One row for each query; the weights as `drop` leaves them.
    """
    zero = np.float32(0)
    for row in range(weights.shape[0]):
        mean = zero
        for j in range(weights.shape[1]):
            kept[row, j] = max(weights[row, j], zero)
            mean += kept[row, j] * gradient[row, j]
        for j in range(weights.shape[1]):
            weight = weights[row, j]
            gradient[row, j] = kept[row, j] * gradient[row, j] - abs(weight) * mean


@kernel(reorder=True)
def scores_gradient_bf16(weights, gradient, kept):
    """`scores_gradient` of the bits of bfloat16, sums in ``float32``."""
    terms, products = np.empty(weights.shape[1], np.float32), np.empty(weights.shape[1], np.float32)
    for row in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            kept[row, j] = _0 if weights[row, j] & _SIGN else weights[row, j]
        widened(kept[row], terms)
        widened(gradient[row], products)
        mean = np.float32(0)
        for j in range(weights.shape[1]):
            products[j] *= terms[j]
            mean += products[j]
        widened(weights[row], terms)
        for j in range(weights.shape[1]):
            products[j] -= abs(terms[j]) * mean
        rounded(products, gradient[row])


@kernel
def copy_tokens(source, target):
    """Copy an array of five axes (images, tokens, count, heads, size), both sides in any layout.

    It goes through the tokens in order and through as many places of the other side as there are heads. A
    copy in the order of the target jumps from token to token for each head.
    """
    images, tokens, count, heads, size = source.shape
    for image in range(images):
        for token in range(tokens):
            for part in range(count):
                for head in range(heads):
                    for i in range(size):
                        target[image, token, part, head, i] = source[image, token, part, head, i]
