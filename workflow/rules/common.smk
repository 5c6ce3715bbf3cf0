# What rules share: the checked experiment and the lists of files that it implies.
import os
import re
import sys
from pathlib import Path

# The package may be uninstalled: it lies in the root of the repository, and jobs find it there, also where
# this workflow is a module of another. (A module that is read from the web needs it installed.)
ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=False)).parents[1]
if (ROOT / "symbreak").is_dir() and str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
    folders = [str(ROOT), os.getenv("PYTHONPATH")]
    os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, folders)))

from symbreak import __version__ as VERSION
from symbreak import config as experiments
from symbreak.errors import SymbreakError

# A batch system that wants a job gone (its time is up) sends SIGTERM to all of its processes. The shell and tee
# stay until the verb has saved its state and said so. The first words are Snakemake's own, which a prefix replaces:
# without them the failure of a verb is lost in tee.
shell.prefix("set -euo pipefail; trap '' TERM; ")


def checked():
    """The experiment with all defaults, or one sentence about the first wrong key. Files and --config are read
    by the strict reader, as Snakemake takes 010 for 8; what another workflow hands over is taken as it is.
    """
    given = workflow.config_settings.config
    try:
        if not workflow.modifier.is_main_snakefile():
            return experiments.parse(config, "the experiment")
        settings = experiments.combine(workflow.configfiles, given, sys.argv)
        return experiments.parse(settings, "the experiment")
    except SymbreakError as error:
        print(f"snakemake: {error}", file=sys.stderr)
        sys.exit(2)


def write_experiment():
    """Write the experiment with all defaults to the file that the verbs read."""
    from symbreak.store.atomic import replacing_text

    text, path = experiments.dump(SETTINGS), Path(EXPERIMENT_FILE)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        replacing_text(path, text)


CHECKED = checked()
SETTINGS = CHECKED.model_dump(mode="json")
EXPERIMENT = f"results/{SETTINGS['name']}"
EXPERIMENT_FILE = f"{EXPERIMENT}/experiment.yaml"
SEEDS = SETTINGS["seeds"]
NETWORKS = list(SETTINGS["networks"])
TAPS = SETTINGS["probes"]["taps"]  # of all networks together
GPUS = 1 if SETTINGS["compute"]["device"] == "cuda" else 0
PROCESSES = SETTINGS["compute"]["processes"]  # of each training, probing and measuring


wildcard_constraints:
    network="|".join(map(re.escape, NETWORKS)),
    seed="|".join(map(str, SEEDS)),
    tap="|".join([*TAPS, "network"]),


def taps_of(network):
    """Taps of one network: encoders and convolutions have different ones."""
    return CHECKED.taps_of(network)


def tap_lists():
    """Suffix of a rule's name, taps, pattern of networks. Outputs cannot depend on the network, so a rule
    whose outputs are all taps is made once for each list of taps; with one list its name has no suffix.
    """
    networks = {}
    for network in NETWORKS:
        networks.setdefault(tuple(taps_of(network)), []).append(network)
    return [
        (f"_{taps[0]}" if number else "", list(taps), "|".join(map(re.escape, names)))
        for number, (taps, names) in enumerate(networks.items())
    ]


def determining(name):
    """A section as it determines a job: keys of later versions count where they are not at their default."""
    part = getattr(CHECKED, name)
    return part.determining() if hasattr(part, "determining") else SETTINGS[name]


def section(*names):
    """Sections of the experiment that determine a job, which reruns when they change."""
    return {name: determining(name) for name in names} | {"version": VERSION}


def network_section(wildcards):
    """Everything that determines a trained network."""
    return section("data", "training", "compute") | {
        "training": CHECKED.training_of(wildcards.network).determining(),
        "network": CHECKED.networks[wildcards.network].determining(),
    }


def measurement_section():
    """The measuring pass; its keys of later versions count where they are not at their default."""
    settings = section("data", "measurement", "compute")
    measurement = dict(settings["measurement"])
    if measurement["head_silencing"] == "readout":
        del measurement["head_silencing"]
    return settings | {"measurement": measurement}


def network_folder(wildcards):
    return f"{EXPERIMENT}/{wildcards.network}"


def seed_folder(wildcards):
    return f"{EXPERIMENT}/{wildcards.network}/seed{wildcards.seed}"


def seed_folders(wildcards):
    return [f"{EXPERIMENT}/{wildcards.network}/seed{seed}" for seed in SEEDS]


def all_statistics():
    return [
        f"<results>/{network}/statistics/{tap}.nc"
        for network in NETWORKS
        for tap in taps_of(network)
    ]
