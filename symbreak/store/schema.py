"""What our NetCDF files hold: order of dimensions, variables and global attributes.

`docs/data-format.md` is generated from these tables.
"""

from __future__ import annotations

from typing import NamedTuple

SCHEMA_VERSION = "1.0"

#: Order of the dimensions in every file.
DIMENSIONS: dict[str, str] = {
    "seed": "seed of the training",
    "block": "encoder block, from 1",
    "tap": "place where the block is opened",
    "sample": "image, in the order of the data set",
    "head": "attention head, from 1",
    "node": "node of the tap, from 1",
    "threshold": "clipping threshold, fraction of the largest field",
    "label": "label of the input, from 0",
    "output": "output unit, from 0",
    "superclass": "superclass, from 0",
    "filling": "number of owned labels of a superclass",
    "setting": "thresholds of a study of pruning, or the fraction of weights to keep",
    "chosen_by": "rule that chooses the weights that stay",
    "layer": "fully connected layer that loses weights",
    "side": "input or output nodes of a layer",
    "criterion": "which nodes are silenced",
    "form": "form in which a pruned network is used",
    "epoch": "training epoch, 0: untrained; of a retraining, 0: before it",
    "fold": "part of the images",
    "ratio": "ratio r of the ownership rule",
    "other_seed": "seed of the training that is compared with",
    "other_block": "encoder block that is compared with, from 1",
    "picture": "image that is shown, named by the rule that chose it",
    "token": "token, row by row over the image, from 0",
    "row": "row of pixels, from 0",
    "column": "column of pixels, from 0",
    "colour": "red, green, blue, from 0",
    "device": "kind of device: cpu or cuda",
    "mode": "how the network runs: eager (as it is) or compiled (torch.compile)",
    "batch": "images in one forward pass",
    "committee": "soft committee, from 1",
    "group": "named soft committee, from 1",
    "committee_size": "members of a soft committee",
    "member": "network of a soft committee with its seed, from 1",
    "other_member": "member that is compared with, from 1",
}


class Variable(NamedTuple):
    """Meaning of one variable."""

    long_name: str
    symbol: str
    equation: str
    units: str = "1"


P1, P2 = "arXiv:2501.12900", "arXiv:2506.23832"

#: Name -> meaning of what is measured. What is computed carries its meaning from where it is computed.
#: A standard error is called `<name>_stderr` and needs no entry of its own.
VARIABLES: dict[str, Variable] = {
    "feature_mean": Variable("mean pooled feature over the images of a label", "mu_k(i)", f"{P1} section 2"),
    "count": Variable("number of images", "N", ""),
    "filter_of_node": Variable("filter of the node, from 1; 0 where the block has no such node", "", ""),
    "n_matrices": Variable("nodes or filters of the block", "N_M", f"{P1} eq. 1"),
    "readout": Variable("weight of the fully connected layer", "W_jk", f"{P1} section 2"),
    "readout_bias": Variable("bias of the fully connected layer", "b_j", ""),
    "accuracy": Variable("accuracy of the classifier head", "Acc", f"{P1} Table 1"),
    "label_accuracy": Variable("accuracy on the images of a label", "Acc_i", ""),
    "head_label_accuracy": Variable(
        "accuracy on the images of a label with the fields of one head only", "Acc_hi", f"{P1} Fig. 8"
    ),
    "head_field_input": Variable(
        "mean output field of one head, the others silenced at the input of the probe",
        "M_h(i,j)",
        f"{P2} section 2",
    ),
    "network_accuracy": Variable("accuracy of the whole network", "Acc", f"{P1} Table 1"),
    "logits": Variable("output field", "h_j", ""),
    "truth": Variable("label of the image", "", ""),
    "correct": Variable("is the image recognised by the network", "", ""),
    "image": Variable("pixels of a shown image", "", ""),
    "latency": Variable("median time of a forward pass of a batch", "", "", "s"),
    "latency_spread": Variable("interquartile range of the time of a forward pass of a batch", "", "", "s"),
    "throughput": Variable("images in a second, batch over its median time", "", "", "s-1"),
}

#: Kind of file -> variables that it must hold with their dimensions, to which seed and block may be added.
KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "moments": {
        "feature_mean": ("block", "node", "label", "fold"),
        "count": ("label", "fold"),
        "readout": ("block", "node", "output"),
        "accuracy": ("block",),
    },
    "logits": {"logits": ("sample", "output"), "truth": ("sample",)},
    "statistics": dict.fromkeys(
        ("n_clusters", "cluster_size", "diagonal", "noise", "signal", "snr", "snr_minimum"),
        ("block", "threshold"),
    ),
    "nodes": dict.fromkeys(
        ("n_clusters", "cluster_size", "diagonal", "noise"), ("block", "node", "threshold")
    ),
    "heads": {
        "appearance": ("block", "head", "label"),
        "owner": ("block", "label"),
        "n_owned": ("block", "head"),
        "n_owned_null": ("block", "head"),
        "n_owned_p": ("block", "head"),
        "potts_order": ("block",),
        "potts_order_null": ("block",),
        "head_snr": ("block", "threshold"),
    },
    "evolution": dict.fromkeys(
        ("potts_order", "potts_order_null", "n_owned_total", "n_owned_total_null", "accuracy"),
        ("block", "epoch"),
    )
    | {"network_accuracy": ("epoch",)},
    "attention": {
        "similarity": ("block", "sample", "head"),
        "image_similarity": ("block", "sample", "head"),
        "best_head": ("block", "label"),
        "apart": ("block",),
        "apart_null": ("block",),
        "head_map": ("block", "head", "picture", "token"),
    },
    "committee": {
        "member_accuracy": ("member",),
        "nominal_latency": ("member",),
        "agreement": ("member", "other_member"),
        "agreement_independent": ("member", "other_member"),
        "is_member": ("committee", "member"),
        **dict.fromkeys(("committee_accuracy", "gain", "n_members"), ("committee",)),
        "group_accuracy": ("group",),
        **dict.fromkeys(("best_accuracy", "split_half_accuracy"), ("committee_size",)),
    },
    "pruning": {
        **dict.fromkeys(("kept_weights", "expected_weights"), ("setting", "layer")),
        "layer_weights": ("layer",),
        **dict.fromkeys(
            ("threshold", "n_clusters", "cluster_size", "diagonal", "noise"), ("setting", "layer", "side")
        ),
        "pruned_accuracy": ("setting", "chosen_by", "epoch"),
        "dense_accuracy": ("epoch",),
        "kept_parameters": ("setting",),
        "file_size": ("form",),
        "latency": ("form", "batch"),
    },
    "silencing": dict.fromkeys(
        ("n_silenced", "silenced_accuracy", "silenced_accuracy_null", "silenced_accuracy_p"), ("criterion",)
    ),
    "latency": dict.fromkeys(("latency", "latency_spread", "throughput"), ("device", "mode", "batch")),
    "replicas": dict.fromkeys(("overlap", "overlap_null", "overlap_p"), ("block", "other_seed")),
}

#: Global attributes of every file.
GLOBALS: dict[str, str] = {
    "Conventions": "CF-1.11",
    "title": "what the file holds",
    "source": "network and data set",
    "history": "when and by which command it was written",
    "references": "papers that define the quantities",
    "schema_version": "version of this schema",
    "symbreak_kind": "kind of file: " + ", ".join(KINDS),
    "symbreak_version": "version of the package",
    "git_commit": "commit of the package, or unknown",
    "config": "experiment, canonical JSON",
    "config_sha256": "SHA-256 of `config`",
    "seed": "seed of the training; a list where seeds are joined",
    "dataset": "data set",
    "dataset_sha256": "SHA-256 of the training images and labels",
    "precision": "precision of the trunk",
    "device": "device of the training",
}
