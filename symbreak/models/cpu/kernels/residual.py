"""The residual stream where a branch leaves and joins it, each in one pass through the memory.

A branch has some images only: `places` gives for each image its place in the branch, or -1. Numbers of a
branch come as their bits, see `symbreak.models.cpu.kernels.numbers`.
"""

import numpy as np

from symbreak.models.cpu.kernels.numbers import number, stored
from symbreak.numerics.compiling import kernel


@kernel
def add_branch(stream, branch, places, gain, sums):
    """Fill `sums` with the stream plus `gain` times the branch."""
    for image in range(stream.shape[0]):
        place = places[image]
        for token in range(stream.shape[1]):
            row, total = stream[image, token], sums[image, token]
            if place < 0:
                total[:] = row
            else:
                for j in range(row.size):
                    total[j] = row[j] + gain * number(branch[place, token, j])


@kernel
def take_branch(outer, places, gain, branch):
    """Fill the branch with `gain` times its images of `outer`: the gradient of `add_branch`."""
    for image in range(outer.shape[0]):
        place = places[image]
        if place >= 0:
            for token in range(outer.shape[1]):
                for j in range(outer.shape[2]):
                    branch[place, token, j] = stored(gain * outer[image, token, j], branch)


@kernel(reorder=True)
def _moments(row, epsilon):
    """Mean of numbers, and 1 over the root of their variance plus `epsilon`."""
    mean, variance, count = row.dtype.type(0), row.dtype.type(0), row.dtype.type(row.size)
    for j in range(row.size):
        mean += row[j]
    mean /= count
    for j in range(row.size):
        variance += (row[j] - mean) * (row[j] - mean)
    return mean, row.dtype.type(1) / np.sqrt(variance / count + epsilon)


@kernel
def norm(stream, weight, bias, places, epsilon, normed, branch, moments):
    r"""LayerNorm of the branch's images, and of all into `normed` if it has rows.

    In each token, of mean :math:`\mu` and variance :math:`v`, it is
    :math:`w (s - \mu) / \sqrt{v + \epsilon} + b` (Ba et al., arXiv:1607.06450). `moments` gets :math:`\mu`
    and :math:`1 / \sqrt{v + \epsilon}`.
    """
    result = np.empty(stream.shape[2], stream.dtype)
    for image in range(stream.shape[0]):
        place = places[image]
        if place < 0 and not len(normed):
            continue
        for token in range(stream.shape[1]):
            row = stream[image, token]
            mean, inverse = _moments(row, epsilon)
            moments[image, token, 0], moments[image, token, 1] = mean, inverse
            for j in range(row.size):
                result[j] = (row[j] - mean) * inverse * weight[j] + bias[j]
            if len(normed):
                normed[image, token] = result
            if place >= 0:
                for j in range(row.size):
                    branch[place, token, j] = stored(result[j], branch)


@kernel(reorder=True)
def _token_gradient(change, row, mean, inverse, weight, to_weight, to_bias):
    r"""Turn the gradient g of a token's norm into that of the token; add those of weight and bias.

    With :math:`x = (s - \mu) / \sqrt{v + \epsilon}` and :math:`h = w g` it is
    :math:`(h - \langle h \rangle - x \langle h x \rangle) / \sqrt{v + \epsilon}`, means over the token.
    """
    plain, along, count = row.dtype.type(0), row.dtype.type(0), row.dtype.type(row.size)
    for j in range(row.size):
        standard = (row[j] - mean) * inverse
        to_bias[j] += change[j]
        to_weight[j] += change[j] * standard
        change[j] *= weight[j]
        plain += change[j]
        along += change[j] * standard
    plain, along = plain / count, along / count
    for j in range(row.size):
        change[j] = inverse * (change[j] - plain - (row[j] - mean) * inverse * along)


@kernel
def norm_gradient(outer, to_branch, replaces, stream, moments, weight, places, to_stream, to_weight, to_bias):
    """Gradients of `norm`, from `outer`, that of the stream after it, and `to_branch`.

    `replaces` says whether the stream goes on normed; if not it goes on as it was.
    """
    change = np.empty(stream.shape[2], stream.dtype)
    through = stream.dtype.type(1 if replaces else 0)  # how much of `outer` comes through the norm
    around = stream.dtype.type(1) - through
    for image in range(stream.shape[0]):
        place = places[image]
        if place < 0 and not replaces:
            to_stream[image] = outer[image]
            continue
        for token in range(stream.shape[1]):
            after, result = outer[image, token], to_stream[image, token]
            for j in range(change.size):
                change[j] = through * after[j]
            if place >= 0:
                for j in range(change.size):
                    change[j] += number(to_branch[place, token, j])
            mean, inverse = moments[image, token, 0], moments[image, token, 1]
            _token_gradient(change, stream[image, token], mean, inverse, weight, to_weight, to_bias)
            for j in range(change.size):
                result[j] = around * after[j] + change[j]
