# Entry point of `snakemake --cores all`; the workflow itself lives in workflow/.
include: "workflow/Snakefile"


# An included file leaves no default target of its own.
workflow.default_target = "all"
