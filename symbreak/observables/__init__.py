"""Observables: what the clusters of matrices say about nodes, heads, committees and labels.

Functions on arrays, and functions on the Datasets of a file: `block_tables`, `head_tables`, `replica_tables`,
`evolution_table`, `committee_tables`.
"""

from types import ModuleType as _ModuleType

from symbreak.numerics.estimates import Estimate, benjamini_hochberg, permutation_p_value
from symbreak.observables.committees.members import Member
from symbreak.observables.committees.pairings import architecture_test
from symbreak.observables.committees.per_committee import committee_tables
from symbreak.observables.committees.vote import (
    Agreement,
    agreement,
    all_committees,
    bootstrap_intervals,
    correct_committees,
    grow_committee,
)
from symbreak.observables.heads.accuracy import AccuracyAgreement, best_head_agreement, best_head_credit
from symbreak.observables.heads.appearance import appearance_of_heads, assign_nodes, coarse_grain, count_nodes
from symbreak.observables.heads.attention_scores import attention_block, best_heads
from symbreak.observables.heads.chance import (
    binomial_chance_of_ownership,
    chance_of_ownership,
    label_p_values,
)
from symbreak.observables.heads.epochs import evolution_table
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
from symbreak.observables.heads.map_likeness import map_criteria, map_scores
from symbreak.observables.heads.matrix_null import head_matrix_null
from symbreak.observables.heads.nulls import shuffle_nodes, shuffle_nodes_per_label, shuffle_taxonomy
from symbreak.observables.heads.order import ORDER_PARAMETERS, order_parameters
from symbreak.observables.heads.owner_accuracy import head_label_accuracy, owner_accuracy_test
from symbreak.observables.heads.owners import (
    OwnershipTest,
    count_owned,
    dominance,
    ownership,
    ownership_curve,
    ownership_test,
)
from symbreak.observables.heads.per_head import head_tables
from symbreak.observables.heads.replica_comparison import replica_tables
from symbreak.observables.heads.replicas import (
    ReplicaOverlap,
    binder_cumulant,
    overlap_matrix,
    overlap_susceptibility,
    replica_overlap,
    susceptibility,
)
from symbreak.observables.heads.resemblance import averaged_nodes, common_share
from symbreak.observables.heads.sentences import BlockSentence, block_sentences
from symbreak.observables.heads.surrogates import overlap_test, similar_groups
from symbreak.observables.nodes.chi_square import Uniformity, uniformity
from symbreak.observables.nodes.choices import robustness
from symbreak.observables.nodes.folds import jackknife, jackknife_statistics, leave_out_folds, pool_folds
from symbreak.observables.nodes.mean_field import block_mean_field, mean_field_snr
from symbreak.observables.nodes.per_block import block_moments, block_tables, pooled_moments, threshold_grid
from symbreak.observables.nodes.snr import SignalToNoise, best_threshold, block_statistics, signal_to_noise
from symbreak.observables.superclasses.filling import SuperclassTest, fill_superclasses, superclass_test
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
from symbreak.observables.superclasses.pairs import superclass_pairs_test

__all__ = [
    name for name, value in globals().items() if not (name.startswith("_") or isinstance(value, _ModuleType))
]
