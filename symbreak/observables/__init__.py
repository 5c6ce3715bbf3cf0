"""Observables: what the clusters of matrices say about nodes, heads and labels."""

from symbreak.numerics.estimates import Estimate, benjamini_hochberg, permutation_p_value
from symbreak.observables.heads.accuracy import AccuracyAgreement, best_head_agreement, best_head_credit
from symbreak.observables.heads.appearance import appearance_of_heads, assign_nodes, coarse_grain, count_nodes
from symbreak.observables.heads.chance import (
    binomial_chance_of_ownership,
    chance_of_ownership,
    label_p_values,
)
from symbreak.observables.heads.information import committee_contrast, mutual_information
from symbreak.observables.heads.local_order import (
    edwards_anderson,
    entropy_order,
    head_shares,
    local_edwards_anderson,
    local_entropy_order,
    local_potts_order,
    potts_order,
)
from symbreak.observables.heads.nulls import shuffle_nodes, shuffle_nodes_per_label, shuffle_taxonomy
from symbreak.observables.heads.order import ORDER_PARAMETERS, order_parameters
from symbreak.observables.heads.ownership import (
    OwnershipTest,
    count_owned,
    describe_ownership,
    dominance,
    ownership,
    ownership_curve,
    ownership_test,
)
from symbreak.observables.heads.replicas import (
    ReplicaOverlap,
    binder_cumulant,
    overlap_matrix,
    overlap_susceptibility,
    replica_overlap,
    susceptibility,
)
from symbreak.observables.nodes.folds import jackknife, pool_folds, statistics
from symbreak.observables.nodes.robustness import robustness
from symbreak.observables.nodes.snr import SignalToNoise, best_threshold, block_statistics, signal_to_noise
from symbreak.observables.nodes.uniformity import Uniformity, uniformity
from symbreak.observables.superclasses.filling import SuperclassTable, superclass_filling, superclass_table
from symbreak.observables.superclasses.joint_law import (
    JointLaw,
    SuperclassSample,
    full_superclasses_tail,
    superclass_joint_law,
    superclass_monte_carlo,
)
from symbreak.observables.superclasses.law import (
    superclass_covariance,
    superclass_law,
    superclass_sizes,
    superclass_tail,
)

__all__ = [
    "ORDER_PARAMETERS",
    "AccuracyAgreement",
    "Estimate",
    "JointLaw",
    "OwnershipTest",
    "ReplicaOverlap",
    "SignalToNoise",
    "SuperclassSample",
    "SuperclassTable",
    "Uniformity",
    "appearance_of_heads",
    "assign_nodes",
    "benjamini_hochberg",
    "best_head_agreement",
    "best_head_credit",
    "best_threshold",
    "binder_cumulant",
    "binomial_chance_of_ownership",
    "block_statistics",
    "chance_of_ownership",
    "coarse_grain",
    "committee_contrast",
    "count_nodes",
    "count_owned",
    "describe_ownership",
    "dominance",
    "edwards_anderson",
    "entropy_order",
    "full_superclasses_tail",
    "head_shares",
    "jackknife",
    "label_p_values",
    "local_edwards_anderson",
    "local_entropy_order",
    "local_potts_order",
    "mutual_information",
    "order_parameters",
    "overlap_matrix",
    "overlap_susceptibility",
    "ownership",
    "ownership_curve",
    "ownership_test",
    "permutation_p_value",
    "pool_folds",
    "potts_order",
    "replica_overlap",
    "robustness",
    "shuffle_nodes",
    "shuffle_nodes_per_label",
    "shuffle_taxonomy",
    "signal_to_noise",
    "statistics",
    "superclass_covariance",
    "superclass_filling",
    "superclass_joint_law",
    "superclass_law",
    "superclass_monte_carlo",
    "superclass_sizes",
    "superclass_table",
    "superclass_tail",
    "susceptibility",
    "uniformity",
]
