# Networks whose forward pass is timed, and what comes of it.
from snakemake.exceptions import WorkflowError

TIMED = [
    network
    for network in NETWORKS
    if CHECKED.latency.batches and CHECKED.networks[network].trained
]


def all_cores():
    """All cores of the machine, so that no other job of the workflow runs beside; on a cluster those of a pass."""
    try:
        return workflow.cores
    except WorkflowError:
        return CHECKED.latency.threads


def latency_section(wildcards):
    """Everything that determines the time of a network, besides the machine; weights and seeds do not."""
    network = CHECKED.networks[wildcards.network].determining()
    shape = {key: value for key, value in network.items() if key != "epochs"}
    return section("latency", "compute") | {
        "network": shape,
        "labels": CHECKED.data.n_labels,
    }


def all_latencies():
    joint = [
        "<results>/tables/latency.csv",
        "<results>/tables/latency.html",
        "<results>/figures/latency.png",
    ]
    return joint if TIMED else []
