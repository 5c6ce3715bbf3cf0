"""Where a file comes from: the global attributes of every NetCDF file."""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import symbreak
from symbreak.config import Experiment
from symbreak.store.schema import P1, P2, SCHEMA_VERSION


def provenance(experiment: Experiment, *, title: str, source: str, **facts: Any) -> dict[str, Any]:
    """Global attributes that tell how a result came about.

    Parameters
    ----------
    experiment : Experiment
        Stored whole, as canonical JSON with its SHA-256.
    title, source : str
        CF attributes: what the file holds, and of which network and data.
    **facts
        `seed`, `dataset`, `dataset_sha256`, `precision`, `device`.
    """
    config = json.dumps(experiment.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return {
        "Conventions": "CF-1.11",
        "title": title,
        "source": source,
        "history": f"{now()} symbreak {symbreak.__version__}",
        "references": f"{P1} (P1), {P2} (P2)",
        "schema_version": SCHEMA_VERSION,
        "symbreak_version": symbreak.__version__,
        "git_commit": git_commit(),
        "config": config,
        "config_sha256": hashlib.sha256(config.encode()).hexdigest(),
        **facts,
    }


def now() -> str:
    """Universal time to the second, ISO 8601."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@functools.cache
def git_commit() -> str:
    """Commit of the checkout that the package runs from; `unknown` outside one."""
    folder = Path(symbreak.__file__).parent
    try:
        answer = subprocess.run(
            ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return answer.stdout.strip()
