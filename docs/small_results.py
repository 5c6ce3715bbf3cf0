"""Copy what is small of a finished experiment; docs/data is made by this.

    python docs/small_results.py results/cifar100_cpu docs/data/cifar100_cpu --more cct/seed1/moments/block.nc

Joined tables of all kinds, committees, latencies and histories; no networks, moments or outputs. What has a
number for every threshold, label or node is rounded to single precision.
"""

import argparse
import shutil
from pathlib import Path

import xarray as xr

#: Larger variables are rounded.
LARGE = 1_000
#: Smaller ones are stored as they are.
SMALL = 500
KINDS = ("statistics", "heads", "evolution", "pruning", "replicas")


def small(folder: Path, kinds: list[str], more: list[str]) -> list[Path]:
    """Files to be copied, below the folder of an experiment."""
    patterns = ["experiment.yaml", "committee.nc", "*/latency.nc", "*/seed*/history.csv", *more]
    patterns += [f"*/{kind}/*.nc" for kind in kinds]
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    return sorted(path for path in found if not path.name.startswith("."))


def copy(source: Path, target: Path) -> None:
    """Copy a file; NetCDF with its large data variables in single precision."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix != ".nc":
        shutil.copyfile(source, target)
        return
    with xr.open_dataset(source, decode_times=False) as dataset:
        encoding: dict[str, dict] = {}
        for name, variable in dataset.variables.items():
            # Chunks of small variables would take more room than their numbers.
            squeezed = {"zlib": True, "complevel": 9, "shuffle": True}
            encoding[str(name)] = squeezed if variable.size > SMALL else {"contiguous": True}
            if variable.dtype == "float64" and variable.size > LARGE:
                encoding[str(name)] |= {"dtype": "float32"}
        dataset.to_netcdf(target, engine="netcdf4", encoding=encoding)


def main() -> None:
    """Copy and say how much it is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="results/…")
    parser.add_argument("target", type=Path, help="docs/data/…; replaced if it is there")
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS, help="joined tables (all)")
    parser.add_argument("--more", nargs="*", default=[], help="further files, below the source")
    options = parser.parse_args()
    files = small(options.source, options.kinds, options.more)
    if options.source / "experiment.yaml" not in files:
        parser.error(f"{options.source} is no folder of an experiment; give one with an experiment.yaml")
    shutil.rmtree(options.target, ignore_errors=True)
    for source in files:
        copy(source, options.target / source.relative_to(options.source))
    size = sum(path.stat().st_size for path in options.target.rglob("*") if path.is_file())
    print(f"{len(files)} files, {size / 1e6:.1f} MB in {options.target}")


if __name__ == "__main__":
    main()
