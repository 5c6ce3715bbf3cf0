# Networks with attention heads, and which tables and figures of them there are.
HEAD_TAPS = CHECKED.headed_taps
HEADED = [network for network in NETWORKS if CHECKED.headed_taps_of(network)]
HEAD_TABLES = {
    "ownership": "owned labels beside chance (P1 section 4)",
    "order": "order parameters beside chance",
    "matrices": "matrices of heads (P2 Table 1)",
}
HEAD_FIGURES = {
    "appearances": "labels of every head (P1 Fig. 7)",
    "labels": "owned labels and accuracies (P1 Fig. 8)",
    "owned": "owned labels against block",
    "ratio": "owned labels against ratio",
    "order": "order parameters against block",
    "statistics": "matrices of heads against block (P2 Table 1)",
    "agreement": "heads beside averaged nodes",
    "matrices": "a head beside its averaged nodes (P2 Fig. 4)",
    "overlap": "seeds and blocks compared",
}
if CHECKED.data.has_superclasses:
    HEAD_TABLES["superclasses"] = "superclasses beside chance (P1 Table 4)"
    HEAD_FIGURES["superclasses"] = "superclasses of every head (P1 Table 4)"
HEAD_PAGES = {"sentences": "do the heads differ beyond chance?"} | HEAD_TABLES


# Networks whose attention maps can be compared.
MAPPED = [
    network
    for network in HEADED
    if "attention" in taps_of(network)
    and max(CHECKED.networks[network].heads_per_block) > 1
]


def null_models(wildcards):
    """Heads of the same features rotated, and of a network that differs in not being trained, if there are."""
    settings, found = SETTINGS["networks"], {}
    if wildcards.tap == "attention" and "attention_rotated" in HEAD_TAPS:
        found["rotated"] = (
            f"{EXPERIMENT}/{wildcards.network}/heads/attention_rotated.nc"
        )
    for network in HEADED:
        alike = settings[network] | {"trained": True} == settings[wildcards.network]
        if network != wildcards.network and alike and not settings[network]["trained"]:
            found["untrained"] = f"{EXPERIMENT}/{network}/heads/{wildcards.tap}.nc"
    return found


def heads_of_all(wildcards):
    """Heads of every network that has any."""
    return [
        f"<results>/{network}/heads/{tap}.nc"
        for network in HEADED
        for tap in CHECKED.headed_taps_of(network)
    ]


def all_head_tables():
    joint = ["csv", "html"] if HEADED else []
    return (
        [f"<results>/tables/head_networks.{suffix}" for suffix in joint]
        + [
            f"<results>/tables/{network}/{tap}/heads_{name}.{suffix}"
            for network in HEADED
            for tap in HEAD_TAPS
            for suffix, names in (("csv", HEAD_TABLES), ("html", HEAD_PAGES))
            for name in names
        ]
        + [
            f"<results>/tables/{network}/attention/attention_maps.{suffix}"
            for network in MAPPED
            for suffix in ("csv", "html")
        ]
    )


def all_head_figures():
    return [
        f"<results>/figures/{network}/{tap}/heads_{name}.png"
        for network in HEADED
        for tap in HEAD_TAPS
        for name in HEAD_FIGURES
    ] + [
        f"<results>/figures/{network}/attention/attention_maps.png"
        for network in MAPPED
    ]
