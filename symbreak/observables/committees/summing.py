"""Compiled sums of output fields: which images does each of many committees recognise?"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def _largest(fields):
    """First of the largest output units, as `argmax` has it."""
    best = 0
    for label in range(1, len(fields)):
        if fields[label] > fields[best]:
            best = label
    return best


@njit(nogil=True, cache=True)
def evaluate_committees(fields, truth, members, start, shared, correct):
    """Sum the fields of every committee image by image; a committee goes on where the last one's stayed.

    `fields` (images, members, labels); the members of committee s are `members[start[s]:start[s + 1]]`, of
    which the first `shared[s]` are those of committee s - 1; `correct` (committees, images) is written.
    """
    longest = 0
    for committee in range(len(shared)):
        longest = max(longest, start[committee + 1] - start[committee])
    n_labels = fields.shape[2]
    sums = np.zeros((longest + 1, n_labels), np.float64)  # sums[k]: the first k members
    for image in range(fields.shape[0]):
        for committee in range(len(shared)):
            size = start[committee + 1] - start[committee]
            for place in range(shared[committee], size):
                member = members[start[committee] + place]
                for label in range(n_labels):
                    sums[place + 1, label] = sums[place, label] + fields[image, member, label]
            correct[committee, image] = _largest(sums[size]) == truth[image]


@njit(nogil=True, cache=True)
def evaluate_candidates(fields, truth, total, available, used, count):
    """Count images that a committee recognises with one more member, for every member still available."""
    n_labels = fields.shape[2]
    one = np.empty(n_labels, np.float64)
    for image in range(fields.shape[0]):
        if not used[image]:
            continue
        for member in range(fields.shape[1]):
            if available[member]:
                for label in range(n_labels):
                    one[label] = total[image, label] + fields[image, member, label]
                count[member] += _largest(one) == truth[image]
