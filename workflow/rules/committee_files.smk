# Soft committees: which networks vote, and which tables and figures there are.
COMMITTEE_TABLES = {
    "members": "members (P2 Tables 5 to 7)",
    "groups": "named committees",
    "sizes": "by size, seeds beside networks",
    "agreement": "agreement of pairs",
}
COMMITTEE_FIGURES = {
    "committees": "agreement, size, diversity",
    "pareto": "accuracy against latency",
}
COMMITTEE = CHECKED.committee_of()
COMMITTEE_OTHERS = (SETTINGS["committee"] or {}).get("others", [])
VOTING = bool(COMMITTEE or COMMITTEE_OTHERS)


def committee_folder(wildcards):
    return EXPERIMENT


def committee_tables(wildcards):
    return f"{EXPERIMENT}/tables"


def committee_figures(wildcards):
    return f"{EXPERIMENT}/figures"


def voting_outputs(wildcards):
    """Saved outputs of the members; those of other experiments as far as they are there."""
    own = [
        f"<results>/{network}/seed{seed}/logits/network.nc"
        for network in COMMITTEE
        for seed in SEEDS
    ]
    others = [
        str(path)
        for place in map(Path, COMMITTEE_OTHERS)
        for path in (
            [place]
            if place.suffix == ".nc"
            else sorted(place.glob("*/seed*/logits/network.nc"))
        )
    ]
    return own + others


def committee_latencies(wildcards):
    """Measured latencies of the members, where the experiment has them."""
    return [
        f"<results>/{network}/latency.nc" for network in COMMITTEE if network in TIMED
    ]


def committee_heads(wildcards):
    """Heads of the members at the attention, for the columns of P2."""
    return [
        f"<results>/{network}/heads/attention.nc"
        for network in COMMITTEE
        if "attention" in CHECKED.headed_taps_of(network)
    ]


def committee_section():
    """What determines the committees; latencies come from the shapes of the networks."""
    shapes = {network: SETTINGS["networks"][network] for network in COMMITTEE}
    return section("committee") | {"networks": shapes}


def all_committees():
    if not VOTING:
        return []
    return [
        f"<results>/tables/committee_{name}.{suffix}"
        for name in COMMITTEE_TABLES
        for suffix in ("csv", "html")
    ] + [f"<results>/figures/{name}.png" for name in COMMITTEE_FIGURES]
