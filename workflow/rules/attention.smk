# Attention maps of the heads over all validation images (P1 Fig. 9): one pass a seed, then table and figure.
if MAPPED:

    rule attention:
        input:
            weights="<results>/{network}/seed{seed}/network.safetensors",
            moments="<results>/{network}/seed{seed}/moments/attention.nc",
        output:
            "<results>/{network}/seed{seed}/attention/attention.nc",
        log:
            "<logs>/attention/{network}.seed{seed}.log",
        benchmark:
            "<benchmarks>/attention/{network}.seed{seed}.tsv"
        wildcard_constraints:
            network="|".join(MAPPED),
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=6000,
            runtime=60,
            gpu=GPUS,
        params:
            experiment=EXPERIMENT_FILE,
            folder=seed_folder,
            settings=section("data", "heads", "compute"),
        message:
            "Compare the attention maps of {wildcards.network}, seed {wildcards.seed}"
        shell:
            "python -m symbreak attention --config {params.experiment} --folder {params.folder} "
            "--threads {threads} 2>&1 | tee {log}"

    rule attention_results:
        input:
            attention=expand(
                "<results>/{{network}}/seed{seed}/attention/attention.nc", seed=SEEDS
            ),
            shown=f"<results>/{{network}}/seed{SEEDS[0]}/attention/attention.nc",
        output:
            csv="<results>/tables/{network}/attention/attention_maps.csv",
            html=report(
                "<results>/tables/{network}/attention/attention_maps.html",
                caption="../report/attention_maps.rst",
                category="Heads",
                subcategory="Tables",
                labels={
                    "network": "{network}",
                    "tap": "attention",
                    "shows": "attention maps in numbers (P1 Fig. 9)",
                },
            ),
            figure=report(
                "<results>/figures/{network}/attention/attention_maps.png",
                caption="../report/attention_maps.rst",
                category="Heads",
                subcategory="Figures",
                labels={
                    "network": "{network}",
                    "tap": "attention",
                    "shows": "attention maps (P1 Fig. 9)",
                },
            ),
        log:
            "<logs>/attention_results/{network}.log",
        wildcard_constraints:
            network="|".join(MAPPED),
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
            "Draw the attention maps of {wildcards.network}"
        shell:
            "(python -m symbreak table attention --attention {input.attention} --output {output.csv} "
            "--html {output.html} && "
            "python -m symbreak figure attention --attention {input.shown} --output {output.figure}) > {log} 2>&1"
