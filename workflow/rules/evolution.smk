# The symmetry-breaking curve: order of the heads against training epoch, where `training.checkpoints` is `log`.
include: "evolution_files.smk"


if EVOLVING:

    # The checkpoints are no declared files: they belong to the state of a training, and Snakemake would
    # delete them before a killed training goes on. The verb refuses missing ones and those of another training.
    rule evolve:
        input:
            weights="<results>/{network}/seed{seed}/network.safetensors",
        output:
            expand(
                "<results>/{{network}}/seed{{seed}}/evolution/{tap}.nc",
                tap=FOLLOWED_TAPS,
            ),
        log:
            "<logs>/evolve/{network}.seed{seed}.log",
        benchmark:
            "<benchmarks>/evolve/{network}.seed{seed}.tsv"
        wildcard_constraints:
            network="|".join(EVOLVING),
        conda:
            "../../environment.yml"
        threads: PROCESSES
        resources:
            mem_mb=6000 * PROCESSES,
            runtime=720,
            gpu=GPUS * PROCESSES,
        params:
            experiment=EXPERIMENT_FILE,
            folder=seed_folder,
            settings=measurement_section()
            | section("probes", "statistics", "heads", "evolution"),
        message:
            "Follow the heads of {wildcards.network}, seed {wildcards.seed}, through the training"
        shell:
            "python -m symbreak evolve --config {params.experiment} --folder {params.folder} "
            "--threads {threads} 2>&1 | tee {log}"

    rule evolution_results:
        input:
            expand("<results>/{{network}}/seed{seed}/evolution/{{tap}}.nc", seed=SEEDS),
        output:
            joined="<results>/{network}/evolution/{tap}.nc",
            csv="<results>/tables/{network}/{tap}/heads_evolution.csv",
            figure=report(
                "<results>/figures/{network}/{tap}/heads_evolution.png",
                caption="../report/heads_evolution.rst",
                category="Heads",
                subcategory="Figures",
                labels={
                    "network": "{network}",
                    "tap": "{tap}",
                    "shows": "order against training epoch",
                },
            ),
        log:
            "<logs>/evolution/{network}.{tap}.log",
        wildcard_constraints:
            network="|".join(EVOLVING),
            tap="|".join(FOLLOWED_TAPS),
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
            source=network_folder,
            tables=tables_folder,
            figures=figures_folder,
            version=VERSION,
        message:
            "Draw the order of the heads of {wildcards.network} against epoch, tap {wildcards.tap}"
        shell:
            "(python -m symbreak join {params.folders} --names evolution/{wildcards.tap}.nc "
            "--output {params.source} && "
            "python -m symbreak evolution-results --config {params.experiment} --folder {params.source} "
            "--tables {params.tables} --figures {params.figures} --taps {wildcards.tap}) > {log} 2>&1"
