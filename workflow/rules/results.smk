# What a reader looks at. Several tables or figures in one job: starting a process costs more than drawing.
include: "results_files.smk"


rule networks:
    input:
        statistics_of_all,
    output:
        csv="<results>/tables/networks.csv",
        html=report(
            "<results>/tables/networks.html",
            caption="../report/networks.rst",
            category="Nodes",
            subcategory="Tables",
            labels={"network": "all", "tap": "all", "shows": "networks side by side"},
        ),
    log:
        "<logs>/results/networks.log",
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
        settings=section("statistics"),
    message:
        "Put the networks side by side"
    shell:
        "python -m symbreak table networks --config {params.experiment} --statistics {input} "
        "--output {output.csv} --html {output.html} > {log} 2>&1"


rule network_results:
    input:
        statistics=statistics_of,
        histories=expand("<results>/{{network}}/seed{seed}/history.csv", seed=SEEDS),
    output:
        csv="<results>/tables/{network}/taps.csv",
        taps=report(
            "<results>/tables/{network}/taps.html",
            caption="../report/taps.rst",
            category="Nodes",
            subcategory="Tables",
            labels={"network": "{network}", "tap": "all", "shows": "last block"},
        ),
        training=report(
            "<results>/figures/{network}/training.png",
            caption="../report/training.rst",
            category="Training",
            labels={"network": "{network}", "shows": "loss and accuracy"},
        ),
        accuracy=report(
            "<results>/figures/{network}/accuracy.png",
            caption="../report/accuracy.rst",
            category="Training",
            labels={"network": "{network}", "shows": "accuracy of every block"},
        ),
    log:
        "<logs>/results/{network}.log",
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
        settings=section("statistics", "published"),
    message:
        "Tabulate and draw {wildcards.network} as a whole"
    shell:
        "(python -m symbreak tables --config {params.experiment} --folder {params.source} "
        "--parts network --output {params.tables} && "
        "python -m symbreak figures --config {params.experiment} --folder {params.source} "
        "--parts network --output {params.figures}) > {log} 2>&1"


rule tap_tables:
    input:
        "<results>/{network}/statistics/{tap}.nc",
    output:
        csv=expand("<results>/tables/{{network}}/{{tap}}/{name}.csv", name=TABLES),
        html=[
            report(
                f"<results>/tables/{{network}}/{{tap}}/{name}.html",
                caption=f"../report/table_{name}.rst",
                category="Nodes",
                subcategory="Tables",
                labels={"network": "{network}", "tap": "{tap}", "shows": shows},
            )
            for name, shows in TABLES.items()
        ],
    log:
        "<logs>/results/{network}.{tap}.tables.log",
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
        folder=tables_folder,
        names=list(TABLES),
        settings=section("statistics", "published"),
    message:
        "Tabulate {wildcards.network}, tap {wildcards.tap}"
    shell:
        "python -m symbreak tables --config {params.experiment} --folder {params.source} "
        "--parts {wildcards.tap} --names {params.names} --output {params.folder} > {log} 2>&1"


rule tap_figures:
    input:
        statistics="<results>/{network}/statistics/{tap}.nc",
        nodes=expand("<results>/{{network}}/seed{seed}/nodes/{{tap}}.nc", seed=SEEDS),
        moments=f"<results>/{{network}}/seed{SEEDS[0]}/moments/{{tap}}.nc",
    output:
        [
            report(
                f"<results>/figures/{{network}}/{{tap}}/{name}.png",
                caption=f"../report/figure_{name}.rst",
                category="Nodes",
                subcategory="Figures",
                labels={"network": "{network}", "tap": "{tap}", "shows": shows},
            )
            for name, shows in FIGURES.items()
        ],
    log:
        "<logs>/results/{network}.{tap}.figures.log",
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
        folder=figures_folder,
        names=list(FIGURES),
        settings=section("statistics", "published"),
    message:
        "Draw {wildcards.network}, tap {wildcards.tap}"
    shell:
        "python -m symbreak figures --config {params.experiment} --folder {params.source} "
        "--parts {wildcards.tap} --names {params.names} --output {params.folder} > {log} 2>&1"


rule null:
    input:
        expand("<results>/{{network}}/seed{seed}/moments/{{tap}}.nc", seed=SEEDS),
    output:
        "<results>/{network}/null/{tap}.nc",
    log:
        "<logs>/null/{network}.{tap}.log",
    benchmark:
        "<benchmarks>/null/{network}.{tap}.tsv"
    group:
        "results"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        experiment=EXPERIMENT_FILE,
        folder=network_folder,
        settings=section("statistics"),
    message:
        "Plant worlds without a network beside {wildcards.network}, tap {wildcards.tap}"
    shell:
        "python -m symbreak null --config {params.experiment} --folder {params.folder} "
        "--taps {wildcards.tap} --threads {threads} 2>&1 | tee {log}"


rule comparisons:
    input:
        statistics="<results>/{network}/statistics/{tap}.nc",
        null="<results>/{network}/null/{tap}.nc",
        moments=expand(
            "<results>/{{network}}/seed{seed}/moments/{{tap}}.nc", seed=SEEDS
        ),
    output:
        csv=expand(
            "<results>/tables/{{network}}/{{tap}}/{name}.csv",
            name=["robustness", "null"],
        ),
        robustness=report(
            "<results>/tables/{network}/{tap}/robustness.html",
            caption="../report/robustness.rst",
            category="Nodes",
            subcategory="Choices and null",
            labels={"network": "{network}", "tap": "{tap}", "shows": "open choices"},
        ),
        table=report(
            "<results>/tables/{network}/{tap}/null.html",
            caption="../report/null.rst",
            category="Nodes",
            subcategory="Choices and null",
            labels={"network": "{network}", "tap": "{tap}", "shows": "null, table"},
        ),
        figure=report(
            "<results>/figures/{network}/{tap}/null.png",
            caption="../report/null.rst",
            category="Nodes",
            subcategory="Choices and null",
            labels={"network": "{network}", "tap": "{tap}", "shows": "null, figure"},
        ),
    log:
        "<logs>/results/{network}.{tap}.comparisons.log",
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
        settings=section("statistics"),
    message:
        "Compare choices and null of {wildcards.network}, tap {wildcards.tap}"
    shell:
        "(python -m symbreak tables --config {params.experiment} --folder {params.source} "
        "--parts {wildcards.tap} --names robustness null --output {params.tables} && "
        "python -m symbreak figures --config {params.experiment} --folder {params.source} "
        "--parts {wildcards.tap} --names null --output {params.figures}) > {log} 2>&1"
