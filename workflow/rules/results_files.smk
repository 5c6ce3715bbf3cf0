# Which tables and figures there are, with what the report calls them.
TABLES = {
    "clusters": "clusters (P1 Table 1)",
    "snr": "signal and noise (P1 Table 2)",
}
FIGURES = {
    "clusters": "clusters against block",
    "snr": "SNR against threshold (Fig. 5)",
    "matrix": "matrix of a node (Fig. 3)",
    "labels": "labels (Fig. 4)",
}


def tables_folder(wildcards):
    return f"{EXPERIMENT}/tables/{wildcards.network}"


def figures_folder(wildcards):
    return f"{EXPERIMENT}/figures/{wildcards.network}"


def all_tables():
    return [
        f"<results>/tables/{network}/{name}.{suffix}"
        for network in NETWORKS
        for name in ["taps", *(f"{tap}/{table}" for tap in TAPS for table in TABLES)]
        for suffix in ("csv", "html")
    ]


def all_figures():
    names = ["training", "accuracy"] + [
        f"{tap}/{name}" for tap in TAPS for name in FIGURES
    ]
    return [
        f"<results>/figures/{network}/{name}.png"
        for network in NETWORKS
        for name in names
    ]
