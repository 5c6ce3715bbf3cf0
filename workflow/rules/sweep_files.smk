# Whether an experiment has networks that differ in the number of their heads only.
FAMILIES = [words for network, words in CHECKED.families.items() if network in HEADED]
SWEPT = len(set(FAMILIES)) < len(FAMILIES)


def all_sweeps():
    return ["<results>/figures/head_networks.png"] if SWEPT else []
