# What rules share: the checked experiment, the files that it implies, and what determines a job.
import os
import sys
from functools import lru_cache
from pathlib import Path

# The package may be uninstalled: it lies in the root of the repository, and jobs find it there, also where
# this workflow is a module of another. (A module that is read from the web needs it installed.)
ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=False)).parents[1]
if (ROOT / "symbreak").is_dir() and str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
    folders = [str(ROOT), os.getenv("PYTHONPATH")]
    os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, folders)))

from snakemake.exceptions import WorkflowError

from symbreak import config as experiments
from symbreak.config import stages
from symbreak.errors import SymbreakError
from symbreak.results.landing import landing
from symbreak.results.layout import Layout, Place
from symbreak.results.targets import (
    batches,
    caption,
    groups,
    labels,
    lists,
    pattern,
    sources,
    targets,
    voting,
)
from symbreak.store.atomic import replacing_text

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


CHECKED = checked()
LAYOUT = Layout(CHECKED)
SETTINGS = CHECKED.model_dump(mode="json")
EXPERIMENT = f"results/{CHECKED.name}"
EXPERIMENT_FILE = f"{EXPERIMENT}/experiment.yaml"
SEEDS = CHECKED.seeds
GPUS = 1 if CHECKED.compute.device == "cuda" else 0
PROCESSES = CHECKED.compute.processes  # of each training, probing and measuring


wildcard_constraints:
    network=pattern(CHECKED.networks),
    seed=pattern(map(str, SEEDS)),
    tap=pattern([*CHECKED.probes.taps, *CHECKED.evolution.taps, "network"]),


def write(path, text):
    """Write a file if it would change."""
    if not Path(path).exists() or Path(path).read_text(encoding="utf-8") != text:
        replacing_text(path, text)


def header_of_report():
    """First page of the report, with the answers once they are there, if the workflow lies on this machine."""
    folder = Path(workflow.current_basedir.get_path_or_uri(secret_free=False))
    if not (folder / "report/workflow.rst").is_file():
        return "report/workflow.rst"
    template = (folder / "report/workflow.rst").read_text(encoding="utf-8")
    path = Path(".snakemake", "captions", "header.rst").absolute()
    if workflow.is_main_process:
        write(path, landing(template, Path(EXPERIMENT, "summary.html")))
    return str(path)


def write_experiment():
    """Write the experiment with all defaults to the file that the verbs read."""
    write(EXPERIMENT_FILE, experiments.dump(SETTINGS))


@lru_cache(maxsize=None)
def determining(stage, network):
    """What determines a job, and the digest of it."""
    return stages.determining(CHECKED, stage, network), stages.digest(
        CHECKED, stage, network
    )


def network_of(wildcards, batch=None):
    """The network of a job, None where it is about the whole experiment."""
    words = dict(wildcards.items())
    return batch.network.format(**words) if batch else words.get("network")


def determined(stage, batch=None):
    """What determines a job, which reruns when it changes: settings of the experiment, format of the stage."""
    return lambda wildcards: determining(stage, network_of(wildcards, batch))[0]


def told(stage, batch=None):
    """What a verb of that stage is told: the experiment file, and the digest that it must have."""
    return (
        lambda wildcards: f"--config {EXPERIMENT_FILE} "
        f"--digest {determining(stage, network_of(wildcards, batch))[1]}"
    )


def each(batch, path, **values):
    """Files of each seed of a batch."""
    path = f"<results>/{batch.network}/seed{{seed}}/{path}"
    return expand(path, network="{network}", seed=batch.seeds, **values)


def folders_of(batch):
    """Folders of the seeds of a batch, for a verb."""
    return lambda wildcards: [
        f"{EXPERIMENT}/{batch.network}/seed{seed}".format(**dict(wildcards.items()))
        for seed in batch.seeds
    ]


def growing(amount, batch=None):
    """Minutes of a job, or its memory: more at the next try, minutes with the number of seeds as well."""
    amount *= len(batch.seeds) if batch else 1
    return lambda wildcards, attempt: amount * attempt


def experiment_folder(wildcards=None):
    return EXPERIMENT


def network_folder(wildcards):
    return f"{EXPERIMENT}/{wildcards.network}"


def deleted(wildcards):
    """Files of a finished experiment that somebody has deleted. Before, its results ask for all of them, and
    each file that is asked for twice costs time: there are some ten of each seed.
    """
    if not Path(EXPERIMENT, "summary.html").exists():
        return []
    files = [f"{EXPERIMENT}/{path}" for path in sources(LAYOUT)]
    return [path for path in files if not Path(path).exists()]


def all_cores():
    """All cores of the machine, so that no other job of the workflow runs; on a cluster those of a pass."""
    try:
        return workflow.cores
    except WorkflowError:
        return CHECKED.latency.threads
