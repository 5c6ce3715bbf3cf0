# Networks that lose weights, in which studies, and what comes of it.
STUDIES = {network: CHECKED.studies_of(network) for network in NETWORKS}
PRUNED = [network for network, studies in STUDIES.items() if studies]

PRUNING_TABLES = {
    "layers": "layers, thresholds, kept weights (P1 Table 3)",
    "methods": "accuracy of all methods",
    "export": "bytes and latency",
}
PRUNING_FIGURES = {
    "layers": "weights of the layers",
    "retraining": "accuracy in each epoch",
}
PRUNING_OVERVIEWS = {
    "curves": "accuracy against kept weights",
    "front": "accuracy against parameters",
}


def study_lists():
    """Suffix of a rule's name, studies, pattern of networks: outputs cannot depend on the network."""
    networks = {}
    for network in PRUNED:
        networks.setdefault(tuple(STUDIES[network]), []).append(network)
    return [
        (f"_{studies[0]}" if number else "", list(studies), "|".join(map(re.escape, names)))
        for number, (studies, names) in enumerate(networks.items())
    ]


def silencing_of(studies):
    """The file of silenced nodes, where a study prunes nothing but the readout."""
    settings = CHECKED.pruning
    readout = any(settings.studies[name].only_readout for name in studies)
    return ["silencing"] if readout and settings.silenced else []


def moments_of_pruning(studies):
    """Taps of the experiment at which nodes are judged; the verb itself measures the others."""
    taps = CHECKED.pruning.taps_of(studies)
    return [tap for tap in taps if tap in CHECKED.probes.taps]


def pruning_labels(study, shows):
    return {"network": "{network}", "study": study, "shows": shows}


def all_pruning():
    return [
        path
        for network in PRUNED
        for path in (
            f"<results>/figures/{network}/pruning/curves.png",
            f"<results>/figures/{network}/pruning/front.png",
        )
    ]
