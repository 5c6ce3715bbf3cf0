# What a reader looks at: tables and figures, all of a network's or of a tap's in one job, because starting
# a process costs more than drawing.
include: "results_files.smk"


rule tables:
    input:
        expand("<results>/{{network}}/statistics/{tap}.nc", tap=TAPS),
    output:
        csv="<results>/tables/{network}/taps.csv",
        html=report(
            "<results>/tables/{network}/taps.html",
            caption="../report/taps.rst",
            category="Nodes",
            subcategory="Tables",
            labels={"network": "{network}", "tap": "all", "shows": "all taps"},
        ),
        by_tap=[
            f"<results>/tables/{{network}}/{tap}/{name}.csv"
            for tap in TAPS
            for name in TABLES
        ],
        pages=[
            report(
                f"<results>/tables/{{network}}/{tap}/{name}.html",
                caption=f"../report/table_{name}.rst",
                category="Nodes",
                subcategory="Tables",
                labels={"network": "{network}", "tap": tap, "shows": shows},
            )
            for tap in TAPS
            for name, shows in TABLES.items()
        ],
    log:
        "<logs>/tables/{network}.log",
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
        settings=section("statistics", "published"),
    message:
        "Write the tables of {wildcards.network}"
    shell:
        "python -m symbreak tables --config {params.experiment} --folder {params.source} "
        "--output {params.folder} > {log} 2>&1"


rule network_figures:
    input:
        statistics=expand("<results>/{{network}}/statistics/{tap}.nc", tap=TAPS),
        histories=expand("<results>/{{network}}/seed{seed}/history.csv", seed=SEEDS),
    output:
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
        "<logs>/figures/{network}.log",
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
        version=VERSION,
    message:
        "Draw the training of {wildcards.network}"
    shell:
        "python -m symbreak figures --config {params.experiment} --folder {params.source} "
        "--parts network --output {params.folder} > {log} 2>&1"


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
        "<logs>/figures/{network}.{tap}.log",
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
        settings=section("statistics", "published"),
    message:
        "Draw {wildcards.network}, tap {wildcards.tap}"
    shell:
        "python -m symbreak figures --config {params.experiment} --folder {params.source} "
        "--parts {wildcards.tap} --output {params.folder} > {log} 2>&1"
