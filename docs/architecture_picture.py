"""Draw the layers of the package from the contract that the tests enforce, with their lines of code.

    python docs/architecture_picture.py --output docs/images/architecture.png
    python docs/architecture_picture.py --count

Layers come from `[tool.importlinter]` in pyproject.toml: what stands higher may import what stands
lower, never the other way round. Lines of code are those without blank lines, comments and docstrings.
"""

import argparse
import ast
import io
import tokenize
import tomllib
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

ROOT = Path(__file__).parents[1]
#: What a layer is for, in the words of docs/architecture.md.
PURPOSE = {
    "cli": "one file for each verb",
    "door": "any network, any data, by one call",
    "explorer": "one page to click through",
    "papers": "claims and tables of the papers compared with results",
    "results": "registry, tables, figures, pages",
    "pruning": "ANDC and its controls",
    "measure": "one frozen pass: moments, outputs, latency",
    "learning": "training and probes, resumable",
    "taps": "opens any network, proves its heads",
    "models": "own networks and others'",
    "features": "readouts of given features",
    "data": "labelled images",
    "planted": "worlds with known truth, nulls",
    "accessor": "dataset.symbreak",
    "observables": "nodes, heads, superclasses, committees",
    "clusters": "clusters of thresholded matrices",
    "matrices": "fields of nodes and heads",
    "numerics": "kernels, threads, p-values",
    "printed": "values printed in the papers",
    "store": "schema, NetCDF, provenance",
    "config": "the typed experiment",
    "errors": "one class for each cause",
    "progress": "progress bars",
}
SKIPPED = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
PAPER, TORCH, NUMPY = "#f7f5f0", "#e8a87c", "#85b8cb"


def layers() -> list[list[str]]:
    """Layers from the top, each with its packages, as import-linter checks them."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    return [[name.strip().removeprefix("symbreak.") for name in row.split("|")] for row in contract["layers"]]


def numpy_wing() -> set[str]:
    """Packages that never import torch."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][1]
    return {name.removeprefix("symbreak.") for name in contract["source_modules"]}


def lines_of_code(path: Path) -> int:
    """Lines that hold code; in a Snakefile, all but blank lines and comments."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        return sum(bool(line.strip()) and not line.strip().startswith("#") for line in text.splitlines())
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    code = {
        n for token in tokens if token.type not in SKIPPED for n in range(token.start[0], token.end[0] + 1)
    }
    scopes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, scopes) and ast.get_docstring(node, clean=False) is not None:
            code -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(code)


def count(folder: Path) -> int:
    """Lines of code of a folder, or of the module of that name."""
    module = folder.with_suffix(".py")
    files = [module] if module.is_file() else [*folder.rglob("*.py"), *folder.rglob("*.smk")]
    return sum(map(lines_of_code, files)) + sum(map(lines_of_code, folder.glob("Snakefile")))


def draw() -> Figure:
    """One box for each package, one row for each layer."""
    rows, numpy = layers(), numpy_wing()
    figure = Figure(figsize=(9, 0.62 * len(rows) + 0.9), facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, 10), ylim=(-0.7, len(rows) + 0.35))
    axes.axis("off")
    for height, names in zip(range(len(rows) - 1, -1, -1), rows):
        width = 8.6 / len(names)
        for place, name in enumerate(names):
            colour = NUMPY if name in numpy else PAPER if name in {"cli", "errors", "progress"} else TORCH
            left = 0.9 + place * width
            box = FancyBboxPatch(
                (left, height + 0.09),
                width - 0.15,
                0.72,
                boxstyle="round,pad=0,rounding_size=0.12",
                facecolor=colour,
                edgecolor="none",
            )
            axes.add_patch(box)
            label = f"{PURPOSE.get(name, '')}" if len(names) == 1 or width > 3 else ""
            axes.text(left + 0.15, height + 0.45, name, va="center", fontsize=11, fontweight="bold")
            axes.text(left + 1.75, height + 0.45, label, va="center", fontsize=8.5)
    arrow = {"arrowstyle": "-|>", "color": "0.35", "linewidth": 1.6}
    axes.annotate("", (0.5, 0.1), (0.5, len(rows) - 0.1), arrowprops=arrow)
    axes.text(0.28, len(rows) / 2, "imports run downward only", rotation=90, va="center", color="0.35")
    axes.text(
        0.9,
        -0.3,
        "blue: numpy wing, never imports torch · orange: torch wing",
        fontsize=8.5,
        va="center",
    )
    return figure


def main() -> None:
    """Draw the picture, or print the lines of code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, help="picture to write")
    parser.add_argument("--count", action="store_true", help="print lines of code of symbreak/ and workflow/")
    options = parser.parse_args()
    if options.output:
        draw().savefig(options.output, dpi=150)
    if options.count or not options.output:
        total = {name: count(ROOT / name) for name in ("symbreak", "workflow")}
        print(f"{total['symbreak']:,} + {total['workflow']:,} = {sum(total.values()):,} lines of code")


if __name__ == "__main__":
    main()
