# The torch wing: train a network, train its classifier heads, measure.
rule train:
    output:
        weights="<results>/{network}/seed{seed}/network.safetensors",
        history="<results>/{network}/seed{seed}/history.csv",
    log:
        "<logs>/train/{network}.seed{seed}.log",
    benchmark:
        "<benchmarks>/train/{network}.seed{seed}.tsv"
    conda:
        "../../environment.yml"
    threads: PROCESSES
    resources:
        mem_mb=4000 * PROCESSES,
        runtime=1440,
        gpu=GPUS * PROCESSES,
    params:
        experiment=EXPERIMENT_FILE,
        folder=seed_folder,
        settings=network_section,
    message:
        "Train {wildcards.network}, seed {wildcards.seed}"
    shell:
        "python -m symbreak train --config {params.experiment} --network {wildcards.network} "
        "--seed {wildcards.seed} --folder {params.folder} --threads {threads} 2>&1 | tee {log}"


rule probe:
    input:
        weights="<results>/{network}/seed{seed}/network.safetensors",
    output:
        probes="<results>/{network}/seed{seed}/probes/probes.safetensors",
        history="<results>/{network}/seed{seed}/probes/history.csv",
    log:
        "<logs>/probe/{network}.seed{seed}.log",
    benchmark:
        "<benchmarks>/probe/{network}.seed{seed}.tsv"
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
        settings=section("data", "probes", "compute"),
    message:
        "Train the classifier heads of {wildcards.network}, seed {wildcards.seed}"
    shell:
        "python -m symbreak probe --config {params.experiment} --folder {params.folder} "
        "--threads {threads} 2>&1 | tee {log}"


for suffix, taps, networks in tap_lists():

    rule:
        name:
            f"measure{suffix}"
        input:
            weights="<results>/{network}/seed{seed}/network.safetensors",
            probes="<results>/{network}/seed{seed}/probes/probes.safetensors",
        output:
            moments=expand(
                "<results>/{{network}}/seed{{seed}}/moments/{tap}.nc", tap=taps
            ),
            logits=expand(
                "<results>/{{network}}/seed{{seed}}/logits/{tap}.nc",
                tap=[*taps, "network"],
            ),
        log:
            "<logs>/measure/{network}.seed{seed}.log",
        benchmark:
            "<benchmarks>/measure/{network}.seed{seed}.tsv"
        wildcard_constraints:
            network=networks,
        conda:
            "../../environment.yml"
        threads: PROCESSES
        resources:
            mem_mb=6000 * PROCESSES,
            runtime=120,
            gpu=GPUS * PROCESSES,
        params:
            experiment=EXPERIMENT_FILE,
            folder=seed_folder,
            settings=measurement_section(),
        message:
            "Accumulate label means of {wildcards.network}, seed {wildcards.seed}"
        shell:
            "python -m symbreak measure --config {params.experiment} --folder {params.folder} "
            "--threads {threads} 2>&1 | tee {log}"
