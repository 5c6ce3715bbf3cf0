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
        told=told("train"),
        folder=seed_folder,
        settings=determined("train"),
    message:
        "Train {wildcards.network}, seed {wildcards.seed}"
    shell:
        "python -m symbreak train {params.told} --network {wildcards.network} "
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
        told=told("probe"),
        folder=seed_folder,
        settings=determined("probe"),
    message:
        "Train the classifier heads of {wildcards.network}, seed {wildcards.seed}"
    shell:
        "python -m symbreak probe {params.told} --folder {params.folder} "
        "--threads {threads} 2>&1 | tee {log}"


for suffix, taps, networks in lists(LAYOUT, "statistics"):

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
            told=told("measure"),
            folder=seed_folder,
            settings=determined("measure"),
        message:
            "Accumulate label means of {wildcards.network}, seed {wildcards.seed}"
        shell:
            "python -m symbreak measure {params.told} --folder {params.folder} "
            "--threads {threads} 2>&1 | tee {log}"


# Attention maps of the heads over all validation images (P1 Fig. 9).
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
    conda:
        "../../environment.yml"
    resources:
        mem_mb=6000,
        runtime=60,
        gpu=GPUS,
    params:
        told=told("attention"),
        folder=seed_folder,
        settings=determined("attention"),
    message:
        "Compare the attention maps of {wildcards.network}, seed {wildcards.seed}"
    shell:
        "python -m symbreak attention {params.told} --folder {params.folder} "
        "--threads {threads} 2>&1 | tee {log}"


# The symmetry-breaking curve, where `training.checkpoints` is `log`. The checkpoints are no declared files: they
# belong to the state of a training, and Snakemake would delete them before a killed training goes on. The verb
# refuses missing ones and those of another training.
for suffix, taps, networks in lists(LAYOUT, "evolution"):

    rule:
        name:
            f"evolve{suffix}"
        input:
            weights="<results>/{network}/seed{seed}/network.safetensors",
        output:
            expand("<results>/{{network}}/seed{{seed}}/evolution/{tap}.nc", tap=taps),
        log:
            "<logs>/evolve/{network}.seed{seed}.log",
        benchmark:
            "<benchmarks>/evolve/{network}.seed{seed}.tsv"
        wildcard_constraints:
            network=networks,
        conda:
            "../../environment.yml"
        threads: PROCESSES
        resources:
            mem_mb=6000 * PROCESSES,
            runtime=720,
            gpu=GPUS * PROCESSES,
        params:
            told=told("evolve"),
            folder=seed_folder,
            settings=determined("evolve"),
        message:
            "Follow the heads of {wildcards.network}, seed {wildcards.seed}, through the training"
        shell:
            "python -m symbreak evolve {params.told} --folder {params.folder} "
            "--threads {threads} 2>&1 | tee {log}"


# Pruning by the labels of nodes (ANDC, P1 section 3) and its controls, where the experiment has studies of it. One
# process for all studies of a network: importing torch costs more than a retraining. It keeps what it has finished
# in hidden folders, so that a killed job goes on where it stopped.
for suffix, names, networks in lists(LAYOUT, "pruning", "silencing"):
    studies = [name for name in names if name in CHECKED.pruning.studies]

    rule:
        name:
            f"prune{suffix}"
        input:
            weights="<results>/{network}/seed{seed}/network.safetensors",
            moments=expand(
                "<results>/{{network}}/seed{{seed}}/moments/{tap}.nc",
                tap=[
                    tap
                    for tap in CHECKED.pruning.taps_of(studies)
                    if tap in CHECKED.probes.taps
                ],
            ),
        output:
            expand("<results>/{{network}}/seed{{seed}}/pruning/{name}.nc", name=names),
            expand(
                "<results>/{{network}}/seed{{seed}}/pruning/{name}/{file}",
                name=studies,
                file=["network.safetensors", "logits/network.nc"],
            ),
        log:
            "<logs>/prune/{network}.seed{seed}.log",
        benchmark:
            "<benchmarks>/prune/{network}.seed{seed}.tsv"
        wildcard_constraints:
            network=networks,
        conda:
            "../../environment.yml"
        resources:
            mem_mb=8000,
            runtime=720,
            gpu=GPUS,
        params:
            told=told("prune"),
            folder=seed_folder,
            settings=determined("prune"),
        message:
            "Prune {wildcards.network}, seed {wildcards.seed}"
        shell:
            "python -m symbreak prune {params.told} --folder {params.folder} "
            "--threads {threads} 2>&1 | tee {log}"


# Takes all cores: another job at the same time would be measured as well. No training is needed.
rule latency:
    output:
        "<results>/{network}/latency.nc",
    log:
        "<logs>/latency/{network}.log",
    conda:
        "../../environment.yml"
    threads: all_cores()
    resources:
        mem_mb=4000,
        runtime=60,
        gpu=GPUS,
    params:
        told=told("latency"),
        folder=network_folder,
        settings=determined("latency"),
    message:
        "Time the forward pass of {wildcards.network}, alone on the machine"
    shell:
        "python -m symbreak latency {params.told} --network {wildcards.network} "
        "--folder {params.folder} 2>&1 | tee {log}"
