# Networks with attention heads, and which tables and figures of them there are.
HEAD_TAPS = [tap for tap in SETTINGS["heads"]["taps"] if tap in TAPS]
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


def all_head_tables():
    return [
        f"<results>/tables/{network}/{tap}/heads_{name}.{suffix}"
        for network in HEADED
        for tap in HEAD_TAPS
        for suffix, names in (("csv", HEAD_TABLES), ("html", HEAD_PAGES))
        for name in names
    ]


def all_head_figures():
    return [
        f"<results>/figures/{network}/{tap}/heads_{name}.png"
        for network in HEADED
        for tap in HEAD_TAPS
        for name in HEAD_FIGURES
    ]
