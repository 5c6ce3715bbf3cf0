"""What the variables of a file of committees mean."""

from __future__ import annotations

import xarray as xr

P2 = "arXiv:2506.23832"

#: Name -> (long name, symbol, equation).
MEANINGS: dict[str, tuple[str, str, str]] = {
    "network": ("network of the member", "", ""),
    "member_seed": ("seed of the member's training", "", ""),
    "member_accuracy": ("accuracy of the member alone", "A_m", f"{P2} Table 5"),
    "nominal_latency": ("sequential layers", "", f"convolutions + 4 blocks + 1 ({P2} section 3)"),
    "measured_latency": ("time for one image, batch of one", "", ""),
    "agreement": ("share of images that both members recognise or both miss", "", f"{P2} section 4"),
    "agreement_independent": (
        "agreement of two members of these accuracies with independent errors",
        "",
        f"A B + (1 - A)(1 - B) ({P2} section 4)",
    ),
    "error_correlation": (
        "correlation of the two judgements over images",
        "phi",
        "(P(both right) - A B) / sqrt(A (1 - A) B (1 - B))",
    ),
    "is_member": ("does the network vote in the committee", "", ""),
    "n_members": ("networks of the committee", "N", ""),
    "committee_accuracy": (
        "accuracy of the committee",
        "A_N",
        f"P(argmax_j sum_m h_j^m = true label) ({P2} section 4)",
    ),
    "gain": ("accuracy of the committee minus the mean of its members", "", "A_N - <A_m>"),
    "gain_best": ("accuracy of the committee minus that of its best member", "", "A_N - max A_m"),
    "committee_agreement": ("mean agreement of the pairs of the committee", "", f"{P2} section 4"),
    "committee_agreement_independent": ("the same with independent errors", "", "A B + (1 - A)(1 - B)"),
    "nominal_latency_parallel": ("sequential layers, all members at a time", "", "max over members"),
    "nominal_latency_serial": ("sequential layers, one member after the other", "", "sum over members"),
    "measured_latency_parallel": ("time for one image, all members at a time", "", "max over members"),
    "measured_latency_serial": ("time for one image, one member after the other", "", "sum over members"),
    "group_name": ("name of the committee", "", ""),
    "group_kind": ("who is in it: seeds of one network, networks, or all of both", "", ""),
    "group_networks": ("networks of the committee, by name", "", ""),
    "mean_member": ("mean accuracy of the members", "<A_m>", ""),
    "members": ("networks of the committee", "N", ""),
    "committees": ("committees that the numbers are the mean of, one for each seed", "", ""),
    "best_accuracy": (
        "accuracy of the best committee of this size, judged on the images that it was chosen on",
        "",
        "biased upwards",
    ),
    "best_committee": ("number of that committee", "", ""),
    "split_half_accuracy": (
        "accuracy of the best committee of this size, chosen on one half of the images, judged on the other",
        "",
        "mean over random halves",
    ),
    "mean_accuracy": ("mean accuracy of all committees of this size", "", ""),
    "same_accuracy": ("accuracy of committees of seeds of one network", "", ""),
    "diverse_accuracy": ("accuracy of committees of different networks", "", ""),
    "accuracy_difference": ("accuracy of different networks minus that of seeds of one", "", ""),
    "same_gain": ("gain of committees of seeds of one network over their members", "", "<A_N - <A_m>>"),
    "diverse_gain": ("gain of committees of different networks over their members", "", "<A_N - <A_m>>"),
    "gain_difference": ("gain of different networks minus that of seeds of one", "", ""),
    "same_gain_best": ("gain of committees of seeds of one network over their best", "", "<A_N - max A_m>"),
    "diverse_gain_best": ("gain of committees of different networks over their best", "", "<A_N - max A_m>"),
    "gain_best_difference": ("gain over the best, of different networks minus of seeds of one", "", ""),
    "same_agreement": ("mean agreement of pairs of seeds of one network", "", f"{P2} section 4"),
    "diverse_agreement": ("mean agreement of pairs of different networks", "", f"{P2} section 4"),
    "agreement_difference": ("agreement of different networks minus that of seeds of one", "", ""),
    "same_agreement_independent": ("agreement of such pairs with independent errors", "", ""),
    "diverse_agreement_independent": ("agreement of such pairs with independent errors", "", ""),
}
SUFFIXES = {
    "_lower": "lower end of the interval over images of: ",
    "_upper": "upper end of the interval over images of: ",
    "_stderr": "standard error of: ",
}


def with_meaning(table: xr.Dataset) -> xr.Dataset:
    """Give every variable its long name, units, symbol and equation.

    Examples
    --------
    >>> with_meaning(xr.Dataset({"group_gain_lower": 0.1})).group_gain_lower.long_name
    'lower end of the interval over images of: accuracy of the committee minus the mean of its members'
    """
    for name in table.variables:
        long_name, symbol, equation = _meaning(str(name))
        if long_name:
            units = "s" if "measured_latency" in str(name) else "1"
            table[name].attrs = {
                "long_name": long_name,
                "units": units,
                "symbol": symbol,
                "equation": equation,
            }
    return table


def _meaning(name: str) -> tuple[str, str, str]:
    if name in MEANINGS:
        return MEANINGS[name]
    for suffix, words in SUFFIXES.items():
        if name.endswith(suffix):
            base = _meaning(name.removesuffix(suffix))
            return (words + base[0], base[1], base[2])
    if name.startswith("group_"):
        rest = name.removeprefix("group_")
        alias = {"accuracy": "committee_accuracy", "agreement": "committee_agreement"}
        alias["agreement_independent"] = "committee_agreement_independent"
        return _meaning(alias.get(rest, rest))
    return ("", "", "")
