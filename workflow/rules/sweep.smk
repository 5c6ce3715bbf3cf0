# Networks that differ in the number of their heads only (P2 Tables 2 and 3): accuracy and matrices against H.
include: "sweep_files.smk"


if SWEPT:

    rule heads_sweep:
        input:
            heads=heads_of_all,
            table="<results>/tables/head_networks.html",
        output:
            report(
                "<results>/figures/head_networks.png",
                caption="../report/heads_sweep.rst",
                category="Heads",
                subcategory="Figures",
                labels={
                    "network": "all",
                    "tap": "all",
                    "shows": "networks against the number of heads (P2 Tables 2, 3)",
                },
            ),
        log:
            "<logs>/results/heads_sweep.log",
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
            "Draw accuracy and matrices against the number of heads"
        shell:
            "python -m symbreak figure head-networks --config {params.experiment} --heads {input.heads} "
            "--output {output} > {log} 2>&1"
