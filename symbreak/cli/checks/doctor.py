"""Say what is installed, which devices and instruction sets are used, and which data are found."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from argparse import ArgumentParser, Namespace
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from symbreak import __version__
from symbreak.cli.verb import Verb
from symbreak.errors import SymbreakError, missing_extra

#: Instruction sets that the libraries make use of, by their names in /proc/cpuinfo.
INSTRUCTIONS = (
    "avx2",
    "avx512f",
    "avx512_vnni",
    "avx512_bf16",
    "amx_bf16",
    "amx_int8",
    "asimd",
    "sve",
    "bf16",
)

#: Programs that parts of the workflow call, and which parts those are.
PROGRAMS = {
    "snakemake": "the workflow",
    "git": "the commit in result files",
    "conda": "--use-conda",
    "mamba": "--use-conda",
    "sbatch": "profiles/slurm",
    "nvidia-smi": "a look at GPUs",
}

#: Extras of the package that users install, and what each brings.
EXTRAS = {
    "torch": "training, measuring and pruning of networks",
    "workflow": "experiments by Snakemake",
    "timm": "networks named `timm:…`",
    "transformers": "networks named `transformers:…`",
}

Facts = dict[str, dict[str, Any]]


def arguments(parser: ArgumentParser) -> None:
    """Arguments of `doctor`."""
    parser.add_argument(
        "--config",
        type=Path,
        default=Path("config/demo.yaml"),
        help="experiment file that says where data lie (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> None:
    """Print what a run will find here; refuse if it could not run."""
    missing: list[str] = []
    facts: Facts = {
        "packages": _packages(missing),
        "extras": {extra: _extra(extra, brings, missing) for extra, brings in EXTRAS.items()},
        "machine": _machine(),
        "threads": _threads(),
        "device": _device(),
        "programs": {name: shutil.which(name) or f"not found ({use})" for name, use in PROGRAMS.items()},
        "workflow": _workflow(),
        "data": _data(options.config, missing),
    }
    if options.json:
        print(json.dumps(facts | {"missing": missing}, indent=2, ensure_ascii=False))
    else:
        for section, entries in facts.items():
            print(f"\n{section}" if section != "packages" else section)
            for name, value in entries.items():
                print(f"  {name:24} {value}")
        sys.stdout.flush()
    if missing:
        raise SymbreakError(f"Something is missing here: {'; '.join(missing)}.")


def _packages(missing: list[str]) -> dict[str, str]:
    """Versions of Python, symbreak, what it needs, and what of its extras is installed."""
    found = {"python": platform.python_version(), "symbreak": __version__}
    for needed in _needed():
        found[needed.name] = _version(needed.name) or "not installed"
        if found[needed.name] == "not installed":
            missing.append(f"install {needed}")
        else:
            _require_version(needed, missing)
    for extra in EXTRAS:
        found |= {needed.name: version for needed in _needed(extra) if (version := _version(needed.name))}
    return found


def _extra(extra: str, brings: str, missing: list[str]) -> str:
    """Whether all packages of an extra are here; those that are must be recent enough."""
    needed = _needed(extra)
    absent = [entry.name for entry in needed if _version(entry.name) is None]
    for entry in needed:
        if entry.name not in absent:
            _require_version(entry, missing)
    if absent:
        return f"not installed, brings {brings}: pip install 'symbreak[{extra}]' ({', '.join(absent)})"
    return f"installed, brings {brings}"


def _needed(extra: str = "") -> list[Requirement]:
    """Requirements of the package without extras, or those that one extra adds to it."""
    lines = [Requirement(line) for line in _requirements()]
    return [
        line
        for line in lines
        if line.name != "symbreak"
        and (line.marker.evaluate({"extra": extra}) if line.marker else extra == "")
    ]


def _version(name: str) -> str | None:
    """Version of an installed package."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _require_version(needed: Requirement, missing: list[str]) -> None:
    """Note a package that is older than what is asked for."""
    version = metadata.version(needed.name)
    sentence = f"{needed.name} is {version}, install {needed.name}{needed.specifier}"
    if not needed.specifier.contains(version, prereleases=True) and sentence not in missing:
        missing.append(sentence)


def _requirements() -> list[str]:
    """What the package needs; from its source where it is not installed."""
    try:
        return metadata.requires("symbreak") or []
    except metadata.PackageNotFoundError:
        import tomllib

        source = Path(__file__).parents[3] / "pyproject.toml"
        if not source.exists():
            return []
        project = tomllib.loads(source.read_text())["project"]
        extras = project["optional-dependencies"]
        return project["dependencies"] + [
            f"{line}; extra == '{extra}'" for extra, lines in extras.items() for line in lines
        ]


def _machine() -> dict[str, str]:
    """Processor, memory, free space."""
    processor, flags = platform.processor() or platform.machine(), set()
    information = Path("/proc/cpuinfo")
    for line in information.read_text().splitlines() if information.exists() else []:
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            processor = value.strip()
        elif key.strip() in {"flags", "Features"}:
            flags = set(value.split())
    used = [name for name in INSTRUCTIONS if name in flags]
    free = shutil.disk_usage(".").free
    return {
        "system": f"{platform.system()} {platform.release()}",
        "processor": processor,
        "instruction sets": ", ".join(used) or "unknown",
        "memory": _memory(),
        "free space here": f"{free / 2**30:.1f} GiB",
    }


def _memory() -> str:
    """Memory of the machine, or what a control group leaves of it."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return "unknown"
    limit = Path("/sys/fs/cgroup/memory.max")
    try:
        granted = int(limit.read_text())
    except (OSError, ValueError):
        granted = total
    suffix = "" if granted >= total else f" (of {total / 2**30:.1f} GiB, limited by the control group)"
    return f"{min(total, granted) / 2**30:.1f} GiB{suffix}"


def _threads() -> dict[str, str]:
    """Processors, and the threads that libraries take of them."""
    import numba

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processors": f"{allowed} of {os.cpu_count()}",
        "of the kernels (numba)": str(numba.get_num_threads()),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set; verbs set it to --threads"),
    }


def _device() -> dict[str, str]:
    """What torch computes on, where it is installed."""
    try:
        import torch
    except ModuleNotFoundError as absent:
        return {"torch": str(missing_extra(absent.name or "torch", "torch"))}

    from symbreak.models.cpu.processor import has_bf16

    gpus = [torch.cuda.get_device_properties(n) for n in range(torch.cuda.device_count())]
    found = {f"GPU {n}": f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB" for n, gpu in enumerate(gpus)}
    return {
        **(found or {"GPU": "none; `compute.device: auto` takes the CPU"}),
        "CPU kernels of torch": torch.backends.cpu.get_cpu_capability(),
        "bf16 on this CPU": "tried against fp32 at each training" if has_bf16() else "not supported",
        "threads of torch": str(torch.get_num_threads()),
    }


def _workflow() -> dict[str, str]:
    """Environments and batch systems that this process runs in."""
    names = {
        "conda environment": "CONDA_DEFAULT_ENV",
        "virtual environment": "VIRTUAL_ENV",
        "Slurm job": "SLURM_JOB_ID",
    }
    return {name: os.environ.get(key, "none") for name, key in names.items()}


def _data(config: Path, missing: list[str]) -> dict[str, str]:
    """Which data sets lie where the experiment looks for them; the downloaded ones by their folder."""
    from symbreak.config import read

    settings = read(config).data if config.exists() else None
    root = Path(settings.root if settings else "data")
    folders = {
        "cifar10": ("cifar-10-batches-py", "cifar-10-python.tar.gz"),
        "cifar100": ("cifar-100-python", "cifar-100-python.tar.gz"),
        "flowers102": ("flowers-102",),
    }
    found = {"looked in": str(root), "diacritics": "drawn, needs no files"}
    for name, places in folders.items():
        here = [str(root / place) for place in places if (root / place).exists()]
        found[name] = here[0] if here else "not found"
        if settings and settings.name == name and not here and not settings.download:
            missing.append(f"{name} in {root} (`data.download` is off)")
    return found


VERB = Verb(
    "doctor",
    "say what is installed, which devices and instruction sets are used, which data are found",
    "--config config/cifar100.yaml",
    arguments,
    run,
)
