# What the scorecard looks at: block outputs, heads, pruning and committees, as far as the experiment has them.
def judged_files(wildcards):
    """Files of which `symbreak scorecard` takes what is there: they must be there first."""
    trained = [
        network for network in NETWORKS if SETTINGS["networks"][network]["trained"]
    ]
    return (
        [
            f"<results>/{network}/statistics/block.nc"
            for network in trained
            if "block" in taps_of(network)
        ]
        + [
            f"<results>/{network}/heads/attention.nc"
            for network in trained
            if "attention" in CHECKED.headed_taps_of(network)
        ]
        + [
            f"<results>/{network}/pruning/{study}.nc"
            for network in trained
            for study in CHECKED.studies_of(network)
        ]
        + (["<results>/committee.nc"] if VOTING else [])
        + [
            f"<results>/{network}/statistics/{taps_of(network)[0]}.nc"
            for network in trained
        ]
    )


def experiment_folder(wildcards):
    return EXPERIMENT


def all_scorecard():
    return ["<results>/tables/scorecard.csv", "<results>/tables/scorecard.html"]
