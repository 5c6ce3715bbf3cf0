# The papers' claims beside everything that was measured.
include: "scorecard_files.smk"


rule scorecard:
    input:
        judged_files,
    output:
        csv="<results>/tables/scorecard.csv",
        html=report(
            "<results>/tables/scorecard.html",
            caption="../report/scorecard.rst",
            category="Scorecard",
            labels={"shows": "claims of the papers"},
        ),
    log:
        "<logs>/results/scorecard.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        experiment=EXPERIMENT_FILE,
        folder=experiment_folder,
        settings=section("statistics"),
    message:
        "Hold the results against the claims of the papers"
    shell:
        "python -m symbreak scorecard --config {params.experiment} --folder {params.folder} "
        "--output {output.csv} --html {output.html} > {log} 2>&1"
