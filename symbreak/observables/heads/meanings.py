"""Names of what a file of heads holds, with meaning, symbol and source."""

from __future__ import annotations

import xarray as xr

from symbreak.observables.nodes.snr import ATTRIBUTES

#: Name -> (long name, symbol, equation). Suffixes of `SUFFIXES` share the entry of their quantity.
MEANINGS: dict[str, tuple[str, str, str]] = {
    "n_heads": ("number of heads of the block", "H", ""),
    "n_nodes": ("nodes of the head", "d_h", ""),
    "membership": ("does a cluster of the node's matrix contain the label", "", "P1 section 2"),
    "appearance": ("node matrices of the head whose clusters contain the label", "c_hl", "P1 Fig. 7"),
    "owner": (
        "head that owns the label, 0 for none",
        "o_l",
        "c_hl > 0 and c_hl >= r c_h'l for all h' != h (P1 section 4)",
    ),
    "dominance": ("largest over second largest count of the label", "r_l", "max_h c_hl / second max_h c_hl"),
    "label": (
        "that a head has the label so often, nodes dealt out by lot",
        "",
        "P(max_h c_hl >= observed | a_l)",
    ),
    "n_owned": ("labels that the head owns", "n_h", "#{l: o_l = h} (P1 Table 4)"),
    "n_owned_evident": (
        "labels that the head owns with evidence: label_q at most the level",
        "",
        "#{l: o_l = h, q_l <= level}",
    ),
    "n_owned_total": ("labels with an owner", "n", "sum_h n_h (P1 section 4)"),
    "n_owned_curve": ("labels with an owner against the ratio of the rule", "n(r)", "sum_h n_h(r)"),
    "n_owned_by_ratio": (
        "labels that the head owns against the ratio of the rule",
        "n_h(r)",
        "#{l: o_l(r) = h}",
    ),
    "owner_agreement": (
        "share of owned labels whose owner recognises them best of all heads",
        "",
        "<[o_l = argmax_h Acc_hl]> over owned l (P1 Fig. 8)",
    ),
    "owner_advantage": (
        "accuracy of the owner minus the mean accuracy of the other heads",
        "",
        "<Acc_ol - mean of Acc_h'l over h' != o> over owned l",
    ),
    "filling_count": ("superclasses of which the head owns so many labels", "N_i", "P1 Table 4"),
    "pairs": ("pairs of owned labels in one superclass", "", "sum_g k_hg (k_hg - 1)/2"),
    "pairs_total": (
        "pairs of owned labels in one superclass, all heads",
        "",
        "sum_h sum_g k_hg (k_hg - 1)/2",
    ),
    "potts_order": ("Potts order of the labels", "M", "<(H max_h p_hl - 1)/(H - 1)>"),
    "edwards_anderson": ("Edwards-Anderson order", "q", "<(H sum_h p_hl^2 - 1)/(H - 1)>"),
    "edwards_anderson_unbiased": (
        "Edwards-Anderson order, corrected for finite counts",
        "q_u",
        "as q with c(c - 1)/(a(a - 1)) for p^2",
    ),
    "entropy_order": ("entropy order", "1 - S", "1 + <sum_h p_hl ln p_hl>/ln H"),
    "mutual_information": (
        "mutual information of head and label",
        "I",
        "corrected for finite counts, over ln H",
    ),
    "committee_contrast": ("contrast of the owning head", "Delta", "(<c_own> - <c_other>)/<a>"),
    "head_exclusive": (
        "labels on the diagonal of the matrix of exactly one head, at the reference threshold",
        "E",
        "#{l: M_h[l, l] > threshold max M_h for one h}",
    ),
    "agreement": (
        "elements above threshold common to the matrix of a head and its mean normalised node matrix",
        "J",
        "mean over heads of |A and B|/|A or B| (P2 Fig. 4)",
    ),
    "agreement_raw": ("the same with the mean raw node matrix", "J_raw", ""),
    "agreement_labels": ("the same for the labels on the diagonal", "J_diag", ""),
    "agreement_other_heads": (
        "the same between different heads: what heads have in common anyway",
        "J_other",
        "mean over h != h' of |A_h and B_h'|/|A_h or B_h'|",
    ),
    "agreement_input": (
        "elements above threshold common to both readings of the matrix of a head",
        "J_input",
        "mean over heads; silenced in the fully connected layer, and at the input of the probe",
    ),
    "best_head": (
        "head that alone recognises the label most often, 0 for none or several",
        "b_l",
        "argmax_h Acc_hl (P1 Fig. 8)",
    ),
    "head_map": (
        "scaled dot-product attention output, mean over the nodes of the head",
        "A_h(t)",
        "(1/d_h) sum_{k in h} a_k(t) (P1 Fig. 9)",
    ),
    "picture_sample": ("number of the shown image", "", ""),
    "similarity": (
        "mean correlation over tokens of the head's map with those of the other heads",
        "r_h",
        "<r(A_h, A_h')> over h' != h",
    ),
    "image_similarity": (
        "size of the correlation of the head's map with the brightness of the image",
        "|r_h|",
        "|r(A_h, brightness)|",
    ),
    "mean_similarity": ("correlation of the head's map with the mean map of all heads", "", "r(A_h, <A>)"),
    "map_distance": ("distance of the best head's map from the others", "", "<1 - r_b>"),
    "apart": ("share of images where the best head's map is the least similar to the others", "", ""),
    "image_lead": (
        "how much more like the image the best head's map is than the others in the mean",
        "",
        "<|r_b| - mean over h != b of |r_h|>",
    ),
    "image_alone": (
        "share of images where the best head's map looks like the image and no other does",
        "",
        "|r| >= 0.5 (P1 Fig. 9, first example)",
    ),
    "dominant": (
        "share of images where the best head's map is the most similar to that of all heads",
        "",
        "P1 Fig. 9, second example",
    ),
    "overlap": (
        "overlap of two seeds, heads relabelled to make it largest",
        "q_ab",
        "max over relabellings of <H/(H - 1) sum_h (p^a_hl - 1/H)(p^b_hl - 1/H)>",
    ),
    "overlap_labels": ("overlap of two seeds, null of shuffled labels", "q_ab", "as overlap"),
    "block_overlap_labels": ("overlap of two blocks, null of shuffled labels", "q_mm'", "as overlap"),
    "block_overlap": ("overlap of two blocks of a network, heads relabelled", "q_mm'", "as overlap"),
    "binder_cumulant": (
        "Binder cumulant of the local order vector",
        "U",
        "n = H - 1 components, 0 Gaussian, 1 ordered",
    ),
    "susceptibility": ("fluctuation of the Potts order between seeds", "chi", "L (<M^2> - <M>^2)"),
    "overlap_susceptibility": (
        "spin-glass susceptibility",
        "chi_SG",
        "L (<q^2> - <q>^2) over pairs of seeds",
    ),
}

#: Suffix of a variable -> what it says about the quantity it is attached to.
SUFFIXES: dict[str, str] = {
    "_null_deviation": "standard deviation under the null model of: ",
    "_null": "mean under the null model of: ",
    "_stderr": "standard error of: ",
    "_shuffled": "with another image in place of its own: ",
    "_p": "one-sided p-value of: ",
    "_q": "p-value after Benjamini-Hochberg of: ",
}

#: Prefixes of statistics of head matrices and of averaged node matrices -> words before their meaning.
PREFIXES: dict[str, str] = {
    "head_": "matrices of heads (SHP): ",
    "head_input_": "matrices of heads (SHP), the others silenced at the input of the probe: ",
    "node_mean_": "mean normalised node matrix of each head (HP): ",
}


def with_meaning(dataset: xr.Dataset) -> xr.Dataset:
    """Give every variable its long name, symbol, equation and units.

    Examples
    --------
    >>> with_meaning(xr.Dataset({"potts_order_null": 0.1})).potts_order_null.attrs["long_name"]
    'mean under the null model of: Potts order of the labels'
    """
    for name, variable in dataset.data_vars.items():
        meaning = _meaning(str(name))
        if meaning:
            variable.attrs = dict(zip(("long_name", "symbol", "equation"), meaning)) | {"units": "1"}
    return dataset


def _meaning(name: str) -> tuple[str, str, str] | None:
    if name in MEANINGS:
        return MEANINGS[name]
    for suffix, words in SUFFIXES.items():
        if name.endswith(suffix):
            base = _meaning(name.removesuffix(suffix))
            return (words + base[0], base[1], base[2]) if base else None
    for prefix, words in PREFIXES.items():
        base = ATTRIBUTES.get(name.removeprefix(prefix))
        if name.startswith(prefix) and base:
            return words + base[0], base[1], base[2]
    return None
