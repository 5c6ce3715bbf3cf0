# What a reader looks at, from the registry of results: one process for all of one category at one place.
def shown(entry, reported):
    """Outputs of a result; the report shows the last of them. Its caption is a file, as Snakemake wants it."""
    if entry.name not in reported:
        return [f"<results>/{file}" for file in entry.files]
    path = Path(".snakemake", "captions", entry.kind, f"{entry.name}.rst").absolute()
    if workflow.is_main_process:
        write(path, caption(entry))
    *others, last = [f"<results>/{file}" for file in entry.files]
    where = {"category": entry.category, "subcategory": entry.subcategory}
    last = report(last, caption=str(path), labels=labels(entry), **where)
    return [*others, last]


def made_of(entries):
    """Files that results of a place are made of."""

    def files(wildcards):
        place = Place(**dict(wildcards.items()))
        return [f"<results>/{path}" for path in LAYOUT.inputs(entries, place)]

    return files


def parts(wildcards):
    """Where results are made, in the words of the verb."""
    folder = (
        network_folder(wildcards) if wildcards.get("network") else experiment_folder()
    )
    words = {"taps": "tap", "studies": "study", "seeds": "seed"}
    chosen = [
        f"--{option} {wildcards[name]}"
        for option, name in words.items()
        if name in wildcards.keys()
    ]
    return " ".join([f"--folder {folder}", *chosen])


for made in groups(LAYOUT):

    rule:
        name:
            made.name
        input:
            made_of(made.entries),
        output:
            [file for entry in made.entries for file in shown(entry, made.reported)],
        log:
            "<logs>/results/"
            + ".".join([made.name, *(f"{{{name}}}" for name in made.values)])
            + ".log",
        wildcard_constraints:
            **made.constraints,
        group:
            "results" if made.scope != "experiment" else None
        conda:
            "../../environment.yml"
        resources:
            mem_mb=growing(2000),
            runtime=growing(10),
        params:
            told=told("pages" if made.scope == "experiment" else "results"),
            parts=parts,
            scope=made.scope,
            names=[entry.name for entry in made.entries],
            settings=determined("pages" if made.scope == "experiment" else "results"),
        message:
            f"Tables and figures of {{output[0]}} and others of its {made.scope}"
        shell:
            "python -m symbreak results {params.told} {params.parts} --scope {params.scope} "
            "--names {params.names} > {log} 2>&1"
