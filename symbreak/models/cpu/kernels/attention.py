"""Softmax that drops weights, and the gradient of the scores: what lies between the products of matrices.

One array holds the weights and which of them were dropped: those have their sign turned, so that the modulus
is the weight and the positive part is what was kept. Each kernel goes once through what lies in the cache,
where the operations of PyTorch would go six times. Numbers come as their bits, see
`symbreak.models.cpu.kernels.numbers`.
"""

import math

import numpy as np

from symbreak.models.cpu.kernels.numbers import number, power_of_two, stored
from symbreak.numerics.compiling import kernel

#: Dropout draws 15 random bits for each weight.
STEPS = 2**15
_LOW_BITS = np.uint16(STEPS - 1)
_GOLDEN, _FIRST, _SECOND = (
    np.uint64(word) for word in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
_30, _27, _31 = (np.uint64(shift) for shift in (30, 27, 31))
_0, _1, _HALF = (np.float32(value) for value in (0, 1, 0.5))
_LOG2_E, _SMALLEST = np.float32(math.log2(math.e)), np.float32(-126)
#: Polynomial close to 2**x for x from -1/2 to 1/2, through its values at Chebyshev's points.
_C0, _C1, _C2, _C3, _C4, _C5 = (
    np.polynomial.Chebyshev.interpolate(np.exp2, 5, [-0.5, 0.5])
    .convert(kind=np.polynomial.Polynomial)
    .coef.astype(np.float32)
)
_SIGN_SHIFT, _ALL_BUT_SIGN = np.int32(31), np.int32(0x7FFFFFFF)


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
def _largest(numbers):
    """Largest of ``float32`` numbers by their bits, which several at once can be compared by."""
    bits, top = numbers.view(np.int32), np.int32(-(2**31))
    for j in range(bits.size):
        order = np.int32(bits[j] ^ ((bits[j] >> _SIGN_SHIFT) & _ALL_BUT_SIGN))  # rises with the number
        top = max(top, order)
    return number(np.uint32(top ^ ((top >> _SIGN_SHIFT) & _ALL_BUT_SIGN)))


@kernel
def _power(exponent):
    """2 to an exponent of 0 or less, relative error below 3e-7; nothing below 2**-126."""
    exponent = _SMALLEST if exponent < _SMALLEST else exponent
    whole = np.int32(exponent - _HALF)
    rest = exponent - np.float32(whole)
    tail = _C2 + rest * (_C3 + rest * (_C4 + rest * _C5))
    return (_C0 + rest * (_C1 + rest * tail)) * power_of_two(whole)


@kernel
def _mark(terms, gain, bits, threshold, weights, kept):
    """Fill `weights` from terms; turn the sign of those whose bits are below the threshold."""
    sign = weights.dtype.type(1 << (8 * weights.itemsize - 1))
    for j in range(terms.size):
        weight, dropped = stored(terms[j] * gain, weights), (bits[j] & _LOW_BITS) < threshold
        weights[j] = weight | sign if dropped else weight
        kept[j] = weights.dtype.type(0) if dropped else weight


@kernel(reorder=True)
def softmax(scores, weights, seed, first, threshold):
    r"""Fill `weights` with :math:`e^{s_j} / \sum_i e^{s_i}` and drop some; `scores` get those that are kept.

    Source: Bridle (1990), "Probabilistic interpretation of feedforward classification network outputs". Both
    are bits, one row for each query. `threshold` in `STEPS` of the weights are dropped, by random words from
    number `first` on, one for four weights, every row with words of its own.
    """
    terms, words = np.empty(scores.shape[1], np.float32), np.empty((scores.shape[1] + 3) // 4, np.uint64)
    bits = words.view(np.uint16)
    for row in range(scores.shape[0]):
        for j in range(terms.size):
            terms[j] = number(scores[row, j])
        largest, total = _largest(terms) * _LOG2_E, _0
        for j in range(terms.size):
            terms[j] = _power(terms[j] * _LOG2_E - largest)
            total += terms[j]
        gain = _1 / total
        random_words(words, seed, first + row * words.size)
        _mark(terms, gain, bits, threshold, weights[row], scores[row])


@kernel(reorder=True)
def scores_gradient(weights, gradient, kept):
    r"""Turn the gradient of the kept weights into that of the scores, in place.

    With weights :math:`p` of a query, :math:`k = p` where kept and 0 elsewhere, and :math:`g` the gradient of
    :math:`k`: :math:`\partial s_j = k_j g_j - p_j \sum_i k_i g_i`, the gradient of a `softmax`.

    The sum is of the same rounded numbers as its terms, so that the gradient of a query's scores sums to
    nothing. The product of the query's attention and its gradient (Dao et al., arXiv:2205.14135) is the same
    sum and cheaper, but its rounding pushes all scores of a query one way.

    All are bits, one row for each query; the weights as `softmax` leaves them, ``kept`` gets k.
    """
    for row in range(weights.shape[0]):
        mean = _0
        for j in range(weights.shape[1]):
            mean += max(number(weights[row, j]), _0) * number(gradient[row, j])
        for j in range(weights.shape[1]):
            weight = number(weights[row, j])
            stays = max(weight, _0)
            change = stays * number(gradient[row, j]) - abs(weight) * mean
            kept[row, j] = stored(stays, kept)
            gradient[row, j] = stored(change, gradient)


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
