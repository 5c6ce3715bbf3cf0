# Which tables and figures there are, with what the report calls them.
TABLES = {
    "clusters": "clusters (P1 Table 1)",
    "snr": "signal and noise (P1 Table 2)",
}
FIGURES = {
    "clusters": "clusters against block",
    "snr": "SNR against threshold (P1 Fig. 5)",
    "matrix": "matrix of a node (P1 Fig. 3)",
    "labels": "labels (P1 Fig. 4)",
}


def tables_folder(wildcards):
    return f"{EXPERIMENT}/tables/{wildcards.network}"


def figures_folder(wildcards):
    return f"{EXPERIMENT}/figures/{wildcards.network}"


def tables_of(network):
    """Tables of a network, without suffix; choices and null are those of nodes, not of filters."""
    names = ["taps"]
    for tap in taps_of(network):
        own = ["robustness", "null"] if tap != "filters" else []
        names += [f"{tap}/{name}" for name in [*TABLES, *own]]
    return names


def figures_of(network):
    """Figures of a network, without suffix."""
    names = ["training", "accuracy"]
    for tap in taps_of(network):
        own = ["null"] if tap != "filters" else []
        names += [f"{tap}/{name}" for name in [*FIGURES, *own]]
    return names


def statistics_of(wildcards):
    """Statistics of all taps of a network."""
    taps = taps_of(wildcards.network)
    return [f"<results>/{wildcards.network}/statistics/{tap}.nc" for tap in taps]


def statistics_of_all(wildcards):
    """Statistics of the tap that stands for a network: its block output, else the first of its taps."""
    return [
        f"<results>/{network}/statistics/{tap}.nc"
        for network in NETWORKS
        for tap in taps_of(network)
        if tap in {"attention", "block", "filters"} or tap == taps_of(network)[0]
    ]


def all_tables():
    return ["<results>/tables/networks.csv", "<results>/tables/networks.html"] + [
        f"<results>/tables/{network}/{name}.{suffix}"
        for network in NETWORKS
        for name in tables_of(network)
        for suffix in ("csv", "html")
    ]


def all_figures():
    return [
        f"<results>/figures/{network}/{name}.png"
        for network in NETWORKS
        for name in figures_of(network)
    ]
