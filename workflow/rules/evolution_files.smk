# Networks that are followed through their training, at which taps, and what comes of it.
EVOLUTION_TAPS = {network: CHECKED.evolving_taps_of(network) for network in NETWORKS}
EVOLVING = [network for network, taps in EVOLUTION_TAPS.items() if taps]
# All that have attention have the same taps.
FOLLOWED_TAPS = EVOLUTION_TAPS[EVOLVING[0]] if EVOLVING else []


def all_evolution():
    return [
        path
        for network in EVOLVING
        for tap in FOLLOWED_TAPS
        for path in (
            f"<results>/tables/{network}/{tap}/heads_evolution.csv",
            f"<results>/figures/{network}/{tap}/heads_evolution.png",
        )
    ]
