# Soft committees of the trained networks, from their saved outputs: no network runs again.
include: "committee_files.smk"


if VOTING:

    rule committee:
        input:
            outputs=voting_outputs,
            latencies=committee_latencies,
        output:
            "<results>/committee.nc",
        log:
            "<logs>/committee.log",
        benchmark:
            "<benchmarks>/committee.tsv"
        group:
            "results"
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=4000,
            runtime=60,
        params:
            experiment=EXPERIMENT_FILE,
            folder=committee_folder,
            settings=committee_section(),
        message:
            "Judge the soft committees"
        shell:
            "python -m symbreak committee --config {params.experiment} --folder {params.folder} > {log} 2>&1"

    rule committee_results:
        input:
            committees="<results>/committee.nc",
            heads=committee_heads,
        output:
            csv=[f"<results>/tables/committee_{name}.csv" for name in COMMITTEE_TABLES],
            pages=[
                report(
                    f"<results>/tables/committee_{name}.html",
                    caption=f"../report/committee_{name}.rst",
                    category="Committees",
                    subcategory="Tables",
                    labels={"shows": shows},
                )
                for name, shows in COMMITTEE_TABLES.items()
            ],
            figures=[
                report(
                    f"<results>/figures/{name}.png",
                    caption=f"../report/{name}.rst",
                    category="Committees",
                    subcategory="Figures",
                    labels={"shows": shows},
                )
                for name, shows in COMMITTEE_FIGURES.items()
            ],
        log:
            "<logs>/results/committee.log",
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
            folder=committee_folder,
            tables=committee_tables,
            figures=committee_figures,
            settings=section("statistics", "published"),
        message:
            "Tabulate and draw the committees"
        shell:
            "python -m symbreak committee-results --config {params.experiment} --folder {params.folder} "
            "--tables {params.tables} --figures {params.figures} > {log} 2>&1"
