# Pruning by the labels of nodes (ANDC, P1 section 3) beside its controls, where the experiment has studies of it.
include: "pruning_files.smk"


for suffix, studies, networks in study_lists():

    # One process for all studies of a network: importing torch costs more than a retraining. It keeps what it has
    # finished in hidden folders, so that a killed job goes on where it stopped.
    rule:
        name:
            f"prune{suffix}"
        input:
            weights="<results>/{network}/seed{seed}/network.safetensors",
            moments=expand(
                "<results>/{{network}}/seed{{seed}}/moments/{tap}.nc",
                tap=moments_of_pruning(studies),
            ),
        output:
            expand(
                "<results>/{{network}}/seed{{seed}}/pruning/{name}.nc",
                name=[*studies, *silencing_of(studies)],
            ),
            expand(
                "<results>/{{network}}/seed{{seed}}/pruning/{name}/{file}",
                name=studies,
                file=["network.safetensors", "logits/network.nc"],
            ),
        log:
            "<logs>/prune/{network}.seed{seed}.log",
        benchmark:
            "<benchmarks>/prune/{network}.seed{seed}.tsv"
        wildcard_constraints:
            network=networks,
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=8000,
            runtime=720,
            gpu=GPUS,
        params:
            experiment=EXPERIMENT_FILE,
            folder=seed_folder,
            settings=measurement_section() | section("probes", "statistics", "pruning"),
        message:
            "Prune {wildcards.network}, seed {wildcards.seed}"
        shell:
            "python -m symbreak prune --config {params.experiment} --folder {params.folder} "
            "--threads {threads} 2>&1 | tee {log}"

    rule:
        name:
            f"prune_results{suffix}"
        input:
            expand(
                "<results>/{{network}}/seed{seed}/pruning/{name}.nc",
                seed=SEEDS,
                name=[*studies, *silencing_of(studies)],
            ),
        output:
            joined=expand(
                "<results>/{{network}}/pruning/{name}.nc",
                name=[*studies, *silencing_of(studies)],
            ),
            csv=expand(
                "<results>/tables/{{network}}/pruning/{study}/{name}.csv",
                study=studies,
                name=PRUNING_TABLES,
            ),
            html=[
                report(
                    f"<results>/tables/{{network}}/pruning/{study}/{name}.html",
                    caption=f"../report/pruning_{name}_table.rst",
                    category="Pruning",
                    subcategory="Tables",
                    labels=pruning_labels(study, shows),
                )
                for study in studies
                for name, shows in PRUNING_TABLES.items()
            ],
            figures=[
                report(
                    f"<results>/figures/{{network}}/pruning/{study}/{name}.png",
                    caption=f"../report/pruning_{name}.rst",
                    category="Pruning",
                    subcategory="Figures",
                    labels=pruning_labels(study, shows),
                )
                for study in studies
                for name, shows in PRUNING_FIGURES.items()
            ],
            overviews=[
                report(
                    f"<results>/figures/{{network}}/pruning/{name}.png",
                    caption=f"../report/pruning_{name}.rst",
                    category="Pruning",
                    subcategory="Figures",
                    labels=pruning_labels("all", shows),
                )
                for name, shows in PRUNING_OVERVIEWS.items()
            ],
            silencing_table=[
                report(
                    f"<results>/tables/{{network}}/pruning/{name}.html",
                    caption="../report/pruning_silencing.rst",
                    category="Pruning",
                    subcategory="Tables",
                    labels=pruning_labels("readout", "silenced nodes"),
                )
                for name in silencing_of(studies)
            ],
            silencing_figure=[
                report(
                    f"<results>/figures/{{network}}/pruning/{name}.png",
                    caption="../report/pruning_silencing.rst",
                    category="Pruning",
                    subcategory="Figures",
                    labels=pruning_labels("readout", "silenced nodes"),
                )
                for name in silencing_of(studies)
            ],
        log:
            "<logs>/pruning/{network}.log",
        wildcard_constraints:
            network=networks,
        group:
            "results"
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            experiment=EXPERIMENT_FILE,
            folders=seed_folders,
            names=[f"pruning/{name}.nc" for name in [*studies, *silencing_of(studies)]],
            source=network_folder,
            tables=tables_folder,
            figures=figures_folder,
            settings=section("published"),
        message:
            "Tabulate and draw the pruning of {wildcards.network}"
        shell:
            "(python -m symbreak join {params.folders} --names {params.names} --output {params.source} && "
            "python -m symbreak prune-results --config {params.experiment} --folder {params.source} "
            "--tables {params.tables} --figures {params.figures}) > {log} 2>&1"
