"""From a threshold on the normalised field to an equivalent cut on the raw field.

Division by a positive maximum is monotone also after rounding, so ``fl(v / maximum) > threshold``
holds exactly for the floats v above one last float: the cut. Comparing raw products with the cut
costs no division and agrees bit for bit with normalising the whole matrix first.
"""

import numpy as np

from symbreak.numerics.compiling import kernel


@kernel
def _cut_by_bisection(maximum, threshold):
    # The bit patterns of non-negative floats are ordered like the floats themselves.
    value = np.empty(1, np.float64)
    bits = value.view(np.int64)
    value[0] = maximum
    high = bits[0]
    low = np.int64(0)
    while high - low > 1:
        bits[0] = low + (high - low) // 2
        if value[0] / maximum <= threshold:
            low = bits[0]
        else:
            high = bits[0]
    bits[0] = low
    return value[0]


@kernel
def raw_cut(maximum, threshold):
    """Largest float v >= 0 with ``fl(v / maximum) <= threshold``; `maximum` > 0, threshold in [0, 1)."""
    cut = threshold * maximum
    for _ in range(4):
        if cut / maximum <= threshold:
            break
        cut = np.nextafter(cut, -np.inf)
    for _ in range(4):
        above = np.nextafter(cut, np.inf)
        if above / maximum > threshold and cut / maximum <= threshold:
            return cut
        cut = above
    return _cut_by_bisection(maximum, threshold)


@kernel
def product_maximum(mean, weight):
    """Maximum of ``mean[i] * weight[j]``, NaN where a factor or a product is not finite.

    The rounded product is monotone in each factor, so the extremes sit at the four corners.
    """
    for label in range(mean.size):
        if not (np.isfinite(mean[label]) and np.isfinite(weight[label])):
            return np.nan
    low, high = mean.min(), mean.max()
    least, most = weight.min(), weight.max()
    corners = (high * most, low * least, high * least, low * most)
    for corner in corners:
        if not np.isfinite(corner):
            return np.nan
    return max(max(corners[0], corners[1]), max(corners[2], corners[3]))
