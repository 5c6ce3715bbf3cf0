"""Run every benchmark and write docs/speed.md.

    python -m benchmarks [--output docs/speed.md]

Ratios are measured in one run, on one machine; run it when nothing else does.
"""

import argparse
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import kernels, probing

PACKAGES = ("torch", "numpy", "numba", "xarray")


def processor():
    """Model name of the processor, where the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")


def page(analysis, learning):
    """Everything measured, as Markdown."""
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    lines = [
        "# Speed",
        "",
        "Written by `make bench`; ratios measured in one run, nothing typed by hand.",
        "",
        f"{processor()}, {analysis['threads']} threads for the kernels and one for torch; "
        f"Python {platform.python_version()}, {versions}.",
        "",
        "| what | measured | to reach | |",
        "|---|---|---|---|",
    ]
    rows = {name: (row["value"], row["goal"]) for name, row in analysis["reached"].items()} | learning
    for name, (value, goal) in rows.items():
        verdict = "reached" if value >= goal else "**missed**"
        lines.append(f"| {name} | {value:,.3g} | {goal:,.3g} | {verdict} |")
    lines += ["", "## Cluster scans", "", "| rule and path | matrices/s |", "|---|---|"]
    lines += [f"| {name} | {rate:,.0f} |" for name, rate in analysis["matrices_per_second"].items()]
    lines += ["", "## Label means of 50,000 × 256 features", "", "| | ms |", "|---|---|"]
    lines += [f"| {name} | {1e3 * seconds:.1f} |" for name, seconds in analysis["seconds"].items()]
    lines += ["", f"Peak memory of the scans: {analysis['peak_gib']:.2f} GiB.", ""]
    return "\n".join(lines), any(value < goal for value, goal in rows.values())


def main():
    """Measure, write, and exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="threads around the kernels (2)")
    parser.add_argument("--output", type=Path, default=Path("docs/speed.md"), help="page to write")
    options = parser.parse_args()
    text, missed = page(kernels.measure(options.threads), probing.measure())
    options.output.write_text(text, encoding="utf-8")
    print(text)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
