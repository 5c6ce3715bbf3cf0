# Nominal latency (P2 section 3) against seconds, where the section `latency` names batches. No training is needed.
include: "latency_files.smk"


if TIMED:

    # Takes all cores: a job beside it would be measured as well.
    rule latency:
        output:
            "<results>/{network}/latency.nc",
        log:
            "<logs>/latency/{network}.log",
        wildcard_constraints:
            network="|".join(TIMED),
        conda:
            "../../environment.yml"
        threads: all_cores()
        resources:
            mem_mb=4000,
            runtime=60,
            gpu=GPUS,
        params:
            experiment=EXPERIMENT_FILE,
            folder=network_folder,
            settings=latency_section,
        message:
            "Time the forward pass of {wildcards.network}, alone on the machine"
        shell:
            "python -m symbreak latency --config {params.experiment} --network {wildcards.network} "
            "--folder {params.folder} 2>&1 | tee {log}"

    rule latency_results:
        input:
            expand("<results>/{network}/latency.nc", network=TIMED),
        output:
            csv="<results>/tables/latency.csv",
            html=report(
                "<results>/tables/latency.html",
                caption="../report/latency.rst",
                category="Latency",
                labels={"shows": "nominal and measured latency, table"},
            ),
            figure=report(
                "<results>/figures/latency.png",
                caption="../report/latency.rst",
                category="Latency",
                labels={"shows": "nominal against measured latency"},
            ),
        log:
            "<logs>/results/latency.log",
        group:
            "results"
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            version=VERSION,
        message:
            "Put nominal and measured latency side by side"
        shell:
            "(python -m symbreak table latency --latency {input} --output {output.csv} --html {output.html} && "
            "python -m symbreak figure latency --latency {input} --output {output.figure}) > {log} 2>&1"
