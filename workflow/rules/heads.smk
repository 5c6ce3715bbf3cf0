# Which head stands for which label, and is it more than chance: from the moments of every seed to the pages
# of the report. Networks without attention have no part in it.
include: "heads_files.smk"
include: "attention.smk"


if HEADED:

    rule heads:
        input:
            moments=expand(
                "<results>/{{network}}/seed{{seed}}/moments/{tap}.nc", tap=HEAD_TAPS
            ),
        output:
            heads=expand(
                "<results>/{{network}}/seed{{seed}}/heads/{tap}.nc", tap=HEAD_TAPS
            ),
        log:
            "<logs>/heads/{network}.seed{seed}.log",
        benchmark:
            "<benchmarks>/heads/{network}.seed{seed}.tsv"
        wildcard_constraints:
            network="|".join(HEADED),
        group:
            "scans"
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=60,
        params:
            experiment=EXPERIMENT_FILE,
            folder=seed_folder,
            taps=HEAD_TAPS,
            settings=section("statistics", "heads"),
        message:
            "Analyse the heads of {wildcards.network}, seed {wildcards.seed}"
        shell:
            "python -m symbreak heads --config {params.experiment} --folder {params.folder} "
            "--taps {params.taps} --threads {threads} 2>&1 | tee {log}"

    rule replicas:
        input:
            expand(
                "<results>/{{network}}/seed{seed}/heads/{tap}.nc",
                seed=SEEDS,
                tap=HEAD_TAPS,
            ),
        output:
            heads=expand("<results>/{{network}}/heads/{tap}.nc", tap=HEAD_TAPS),
            replicas=expand("<results>/{{network}}/replicas/{tap}.nc", tap=HEAD_TAPS),
        log:
            "<logs>/replicas/{network}.log",
        wildcard_constraints:
            network="|".join(HEADED),
        group:
            "scans"
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=60,
        params:
            experiment=EXPERIMENT_FILE,
            folders=seed_folders,
            names=expand("heads/{tap}.nc", tap=HEAD_TAPS),
            output=network_folder,
            taps=HEAD_TAPS,
            settings=section("heads"),
        message:
            "Compare the seeds of {wildcards.network}"
        shell:
            "(python -m symbreak join {params.folders} --names {params.names} --output {params.output} && "
            "python -m symbreak replicas --config {params.experiment} --folder {params.output} "
            "--taps {params.taps}) > {log} 2>&1"

    rule head_networks:
        input:
            heads_of_all,
        output:
            csv="<results>/tables/head_networks.csv",
            html=report(
                "<results>/tables/head_networks.html",
                caption="../report/head_networks.rst",
                category="Heads",
                subcategory="Tables",
                labels={
                    "network": "all",
                    "tap": "all",
                    "shows": "networks side by side (P2 Table 2)",
                },
            ),
        log:
            "<logs>/results/head_networks.log",
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
            settings=section("statistics", "published"),
        message:
            "Put the heads of the networks side by side"
        shell:
            "python -m symbreak table head-networks --config {params.experiment} --heads {input} "
            "--output {output.csv} --html {output.html} > {log} 2>&1"

    rule head_results:
        input:
            heads="<results>/{network}/heads/{tap}.nc",
            replicas="<results>/{network}/replicas/{tap}.nc",
            moments=f"<results>/{{network}}/seed{SEEDS[0]}/moments/{{tap}}.nc",
            null_models=lambda wildcards: list(null_models(wildcards).values()),
        output:
            csv=[
                f"<results>/tables/{{network}}/{{tap}}/heads_{name}.csv"
                for name in HEAD_TABLES
            ],
            pages=[
                report(
                    f"<results>/tables/{{network}}/{{tap}}/heads_{name}.html",
                    caption="../report/heads_tables.rst",
                    category="Heads",
                    subcategory="Tables",
                    labels={"network": "{network}", "tap": "{tap}", "shows": shows},
                )
                for name, shows in HEAD_PAGES.items()
            ],
            figures=[
                report(
                    f"<results>/figures/{{network}}/{{tap}}/heads_{name}.png",
                    caption=f"../report/heads_{name}.rst",
                    category="Heads",
                    subcategory="Figures",
                    labels={"network": "{network}", "tap": "{tap}", "shows": shows},
                )
                for name, shows in HEAD_FIGURES.items()
            ],
        log:
            "<logs>/head_results/{network}.{tap}.log",
        wildcard_constraints:
            network="|".join(HEADED),
            tap="|".join(HEAD_TAPS),
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
            source=network_folder,
            tables=tables_folder,
            figures=figures_folder,
            beside=lambda wildcards: [
                f"{name}={path}" for name, path in null_models(wildcards).items()
            ],
            settings=section("statistics", "heads", "published"),
        message:
            "Draw the heads of {wildcards.network}, tap {wildcards.tap}"
        shell:
            "python -m symbreak head-results --config {params.experiment} --folder {params.source} "
            "--tables {params.tables} --figures {params.figures} --taps {wildcards.tap} "
            "--beside {params.beside} > {log} 2>&1"
