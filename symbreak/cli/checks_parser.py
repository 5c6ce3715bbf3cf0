"""Arguments of the verbs that look at files and at the machine."""

from __future__ import annotations

from pathlib import Path

from symbreak.cli.doctor import doctor
from symbreak.cli.validate import validate


def add_check_verbs(commands, add_verb) -> None:
    """Add `validate` and `doctor`."""
    files = add_verb(
        commands,
        "validate",
        validate,
        "check files of ours, or all in a folder: experiments, NetCDF results, weights, histories, tables",
        "config/demo.yaml results/demo",
    )
    files.add_argument("files", type=Path, nargs="+", help="files or folders to check")
    machine = add_verb(
        commands,
        "doctor",
        doctor,
        "say what is installed, which devices and instruction sets are used, which data are found",
        "--config config/cifar100.yaml",
    )
    machine.add_argument(
        "--config",
        type=Path,
        default=Path("config/demo.yaml"),
        help="experiment file that says where data lie (default: %(default)s)",
    )
    machine.add_argument("--json", action="store_true", help="print JSON")
