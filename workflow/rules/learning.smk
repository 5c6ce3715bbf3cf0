# The torch wing: train a network, train its classifier heads, measure. One rule for all networks and seeds, or,
# with `compute.seeds_per_job`, one for each batch of seeds.
# On the machine that runs Snakemake, before any job: machines of a cluster often have no way to the internet.
rule data:
    output:
        "<results>/data.json",
    log:
        "<logs>/data.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        told=told("data"),
        settings=determined("data"),
    message:
        "Fetch and check the data"
    shell:
        "python -m symbreak data {params.told} --output {output} 2>&1 | tee {log}"


for batch in batches(LAYOUT, "weights"):

    rule:
        name:
            f"train{batch.suffix}"
        input:
            [] if CHECKED.data.drawn else ancient("<results>/data.json"),
        output:
            weights=each(batch, "network.safetensors"),
            history=each(batch, "history.csv"),
        log:
            f"<logs>/train/{batch.log}.log",
        benchmark:
            f"<benchmarks>/train/{batch.log}.tsv"
        wildcard_constraints:
            network=batch.constraint,
        conda:
            "../../environment.yml"
        threads: PROCESSES
        resources:
            mem_mb=growing(3000 * PROCESSES),
            runtime=growing(1440, batch),
            gpu=GPUS * PROCESSES,
            gpu_jobs=GPUS,
        params:
            told=told("train", batch),
            network=batch.network,
            seeds=list(batch.seeds),
            folders=folders_of(batch),
            settings=determined("train", batch),
        message:
            f"Train {batch.words}"
        shell:
            "python -m symbreak train {params.told} --network {params.network} "
            "--seed {params.seeds} --folder {params.folders} --threads {threads} 2>&1 | tee {log}"


for batch in batches(LAYOUT, "moments"):

    rule:
        name:
            f"probe{batch.suffix}"
        input:
            weights=each(batch, "network.safetensors"),
        output:
            probes=each(batch, "probes/probes.safetensors"),
            history=each(batch, "probes/history.csv"),
        log:
            f"<logs>/probe/{batch.log}.log",
        benchmark:
            f"<benchmarks>/probe/{batch.log}.tsv"
        wildcard_constraints:
            network=batch.constraint,
        conda:
            "../../environment.yml"
        threads: PROCESSES
        resources:
            mem_mb=growing(4000 * PROCESSES),
            runtime=growing(720, batch),
            gpu=GPUS * PROCESSES,
            gpu_jobs=GPUS,
        params:
            told=told("probe", batch),
            folders=folders_of(batch),
            settings=determined("probe", batch),
        message:
            f"Train the classifier heads of {batch.words}"
        shell:
            "python -m symbreak probe {params.told} --folder {params.folders} "
            "--threads {threads} 2>&1 | tee {log}"


for batch in batches(LAYOUT, "statistics"):

    rule:
        name:
            f"measure{batch.suffix}"
        input:
            weights=each(batch, "network.safetensors"),
            probes=each(batch, "probes/probes.safetensors"),
        output:
            moments=each(batch, "moments/{tap}.nc", tap=batch.names),
            logits=each(
                batch,
                "logits/{tap}.nc",
                tap=[*batch.names, "network"],
            ),
        log:
            f"<logs>/measure/{batch.log}.log",
        benchmark:
            f"<benchmarks>/measure/{batch.log}.tsv"
        wildcard_constraints:
            network=batch.constraint,
        conda:
            "../../environment.yml"
        threads: PROCESSES
        resources:
            mem_mb=growing(4000 * PROCESSES),
            runtime=growing(120, batch),
            gpu=GPUS * PROCESSES,
            gpu_jobs=GPUS,
        params:
            told=told("measure", batch),
            folders=folders_of(batch),
            settings=determined("measure", batch),
        message:
            f"Accumulate label means of {batch.words}"
        shell:
            "python -m symbreak measure {params.told} --folder {params.folders} "
            "--threads {threads} 2>&1 | tee {log}"


# Attention maps of the heads over all validation images (P1 Fig. 9).
for batch in batches(LAYOUT, "attention"):

    rule:
        name:
            f"attention{batch.suffix}"
        input:
            weights=each(batch, "network.safetensors"),
            moments=each(batch, "moments/attention.nc"),
        output:
            each(batch, "attention/attention.nc"),
        log:
            f"<logs>/attention/{batch.log}.log",
        benchmark:
            f"<benchmarks>/attention/{batch.log}.tsv"
        wildcard_constraints:
            network=batch.constraint,
        conda:
            "../../environment.yml"
        resources:
            mem_mb=growing(4000),
            runtime=growing(60, batch),
            gpu=GPUS,
            gpu_jobs=GPUS,
        params:
            told=told("attention", batch),
            folders=folders_of(batch),
            settings=determined("attention", batch),
        message:
            f"Compare the attention maps of {batch.words}"
        shell:
            "python -m symbreak attention {params.told} --folder {params.folders} "
            "--threads {threads} 2>&1 | tee {log}"


# The symmetry-breaking curve, where `training.checkpoints` is `log`. The checkpoints are no declared files: they
# belong to the state of a training, and Snakemake would delete them before a killed training goes on. The verb
# refuses missing ones and those of another training.
for batch in batches(LAYOUT, "evolution"):

    rule:
        name:
            f"evolve{batch.suffix}"
        input:
            weights=each(batch, "network.safetensors"),
        output:
            each(batch, "evolution/{tap}.nc", tap=batch.names),
        log:
            f"<logs>/evolve/{batch.log}.log",
        benchmark:
            f"<benchmarks>/evolve/{batch.log}.tsv"
        wildcard_constraints:
            network=batch.constraint,
        conda:
            "../../environment.yml"
        threads: PROCESSES
        resources:
            mem_mb=growing(4000 * PROCESSES),
            runtime=growing(720, batch),
            gpu=GPUS * PROCESSES,
            gpu_jobs=GPUS,
        params:
            told=told("evolve", batch),
            folders=folders_of(batch),
            settings=determined("evolve", batch),
        message:
            f"Follow the heads of {batch.words}, through the training"
        shell:
            "python -m symbreak evolve {params.told} --folder {params.folders} "
            "--threads {threads} 2>&1 | tee {log}"


# Pruning by the labels of nodes (ANDC, P1 section 3) and its controls, where the experiment has studies of it. One
# process for all studies of a network: importing torch costs more than a retraining. It keeps what it has finished
# in hidden folders, so that a killed job goes on where it stopped.
for batch in batches(LAYOUT, "pruning", "silencing"):
    studies = [name for name in batch.names if name in CHECKED.pruning.studies]

    rule:
        name:
            f"prune{batch.suffix}"
        input:
            weights=each(batch, "network.safetensors"),
            moments=each(
                batch,
                "moments/{tap}.nc",
                tap=[
                    tap
                    for tap in CHECKED.pruning.taps_of(studies)
                    if tap in CHECKED.probes.taps
                ],
            ),
        output:
            each(batch, "pruning/{name}.nc", name=batch.names),
            each(
                batch,
                "pruning/{name}/{file}",
                name=studies,
                file=["network.safetensors", "logits/network.nc"],
            ),
        log:
            f"<logs>/prune/{batch.log}.log",
        benchmark:
            f"<benchmarks>/prune/{batch.log}.tsv"
        wildcard_constraints:
            network=batch.constraint,
        conda:
            "../../environment.yml"
        resources:
            mem_mb=growing(5000),
            runtime=growing(720, batch),
            gpu=GPUS,
            gpu_jobs=GPUS,
        params:
            told=told("prune", batch),
            folders=folders_of(batch),
            settings=determined("prune", batch),
        message:
            f"Prune {batch.words}"
        shell:
            "python -m symbreak prune {params.told} --folder {params.folders} "
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
        mem_mb=growing(4000),
        runtime=growing(60),
        gpu=GPUS,
        gpu_jobs=GPUS,
    params:
        told=told("latency"),
        folder=network_folder,
        settings=determined("latency"),
    message:
        "Time the forward pass of {wildcards.network}, alone on the machine"
    shell:
        "python -m symbreak latency {params.told} --network {wildcards.network} "
        "--folder {params.folder} 2>&1 | tee {log}"
