"""Run every benchmark and write docs/speed.md.

    python -m benchmarks [--output docs/speed.md]
    python -m benchmarks --quick --against docs/data/speed.json

Ratios are measured in one run, on one machine; run it when nothing else does. The quick subset writes no
page: it says what has become worse by a factor of 1.5 since the page was written.
"""

import argparse
from pathlib import Path

from benchmarks import end_to_end, kernels, parity, passes, probing, report, scaling, step, verbs


def measure_ratios(threads, quick):
    """All that has a goal: the analysis, ratios, seconds, and more about the training step."""
    analysis = kernels.measure(threads)
    ratios = {name: (row["value"], row["goal"]) for name, row in analysis["reached"].items()}
    ratios |= probing.measure()
    steps, more = step.measure(quick)
    return analysis, ratios | steps, verbs.measure(quick), more


def write_page(options, analysis, ratios, seconds, more):
    """Measure the rest and write page, figure and numbers."""
    by_size, vit_b = scaling.measure(), scaling.vit_b()
    figure = options.output.parent / "images" / "scaling.png"
    scaling.draw(by_size, figure)
    ratios["2 GB / peak memory of the scan of ViT-B"] = (scaling.LIMIT / vit_b[1], 1)
    lines = [
        *report.head(options.threads),
        *report.goals(ratios, seconds),
        *report.step_section(more),
        *passes.section(step.without(passes.NAMES)),
        *report.probe_section(probing.kept_features()),
        *parity.section(parity.measure()),
        *report.gpu_section(step.operations() / step.BATCH),
        *report.kernel_section(analysis),
        *scaling.section(by_size, vit_b, "images/scaling.png"),
        *end_to_end.section(),
    ]
    text = "\n".join(lines)
    options.output.write_text(text, encoding="utf-8")
    report.save(options.output.parent / "data" / "speed.json", ratios, seconds)
    print(text)


def main():
    """Measure and write; what misses its goal is marked, and is no failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="threads around the kernels (2)")
    parser.add_argument("--output", type=Path, default=Path("docs/speed.md"), help="page to write")
    parser.add_argument(
        "--quick", action="store_true", help="only what has a goal, fewer repetitions, no page"
    )
    parser.add_argument("--against", type=Path, help="numbers of an earlier run, to be compared with")
    options = parser.parse_args()
    analysis, ratios, seconds, more = measure_ratios(options.threads, options.quick)
    if options.quick:
        print("\n".join(report.goals(ratios, seconds)))
    else:
        write_page(options, analysis, ratios, seconds, more)
    if options.against:
        print("\n".join(report.compared(options.against, ratios, seconds)))


if __name__ == "__main__":
    main()
