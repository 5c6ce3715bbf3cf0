# The numpy wing: matrices and clusters of every node, heads and what chance gives, joined over seeds.
# All taps in one job: starting a process costs more than scanning a tap.
for batch in batches(LAYOUT, "statistics"):

    rule:
        name:
            f"scan{batch.suffix}"
        input:
            each(batch, "moments/{tap}.nc", tap=batch.names),
        output:
            each(
                batch,
                "{kind}/{tap}.nc",
                kind=["statistics", "nodes"],
                tap=batch.names,
            ),
        log:
            f"<logs>/scan/{batch.log}.log",
        benchmark:
            f"<benchmarks>/scan/{batch.log}.tsv"
        wildcard_constraints:
            network=batch.constraint,
        group:
            "scans"
        conda:
            "../../environment.yml"
        resources:
            mem_mb=growing(1000),
            runtime=growing(10, batch),
        params:
            told=told("scan", batch),
            folders=folders_of(batch),
            taps=batch.names,
            settings=determined("scan", batch),
        message:
            f"Scan thresholds of {batch.words}"
        shell:
            "python -m symbreak scan {params.told} --folder {params.folders} "
            "--taps {params.taps} --threads {threads} 2>&1 | tee {log}"


# Which head stands for which label, and is it more than chance. Networks without attention have no part in it.
for batch in batches(LAYOUT, "heads"):

    rule:
        name:
            f"heads{batch.suffix}"
        input:
            each(batch, "moments/{tap}.nc", tap=batch.names),
        output:
            each(batch, "heads/{tap}.nc", tap=batch.names),
        log:
            f"<logs>/heads/{batch.log}.log",
        benchmark:
            f"<benchmarks>/heads/{batch.log}.tsv"
        wildcard_constraints:
            network=batch.constraint,
        group:
            "scans"
        conda:
            "../../environment.yml"
        resources:
            mem_mb=growing(1000),
            runtime=growing(10, batch),
        params:
            told=told("heads", batch),
            folders=folders_of(batch),
            taps=batch.names,
            settings=determined("heads", batch),
        message:
            f"Analyse the heads of {batch.words}"
        shell:
            "python -m symbreak heads {params.told} --folder {params.folders} "
            "--taps {params.taps} --threads {threads} 2>&1 | tee {log}"


for suffix, taps, networks in lists(LAYOUT, "heads"):

    rule:
        name:
            f"replicas{suffix}"
        input:
            expand("<results>/{{network}}/heads/{tap}.nc", tap=taps),
        output:
            expand("<results>/{{network}}/replicas/{tap}.nc", tap=taps),
        log:
            "<logs>/replicas/{network}.log",
        wildcard_constraints:
            network=networks,
        group:
            "results"
        conda:
            "../../environment.yml"
        resources:
            mem_mb=growing(2000 + 10 * len(SEEDS)),
            runtime=growing(10 + len(SEEDS)),
        params:
            told=told("replicas"),
            folder=network_folder,
            taps=taps,
            settings=determined("replicas"),
        message:
            "Compare the seeds of {wildcards.network}"
        shell:
            "python -m symbreak replicas {params.told} --folder {params.folder} "
            "--taps {params.taps} > {log} 2>&1"


# Files of all seeds in one, for each kind of them.
for kind, *more in (["statistics"], ["heads"], ["evolution"], ["pruning", "silencing"]):
    for suffix, names, networks in lists(LAYOUT, kind, *more):

        rule:
            name:
                f"join_{kind}{suffix}"
            input:
                expand(
                    "<results>/{{network}}/seed{seed}/{kind}/{name}.nc",
                    seed=SEEDS,
                    kind=kind,
                    name=names,
                ),
            output:
                expand("<results>/{{network}}/{kind}/{name}.nc", kind=kind, name=names),
            log:
                f"<logs>/join/{{network}}.{kind}.log",
            wildcard_constraints:
                network=networks,
            group:
                "results"
            conda:
                "../../environment.yml"
            resources:
                mem_mb=growing(1000 + 10 * len(SEEDS)),
                runtime=growing(5 + len(SEEDS) // 10),
            params:
                names=[f"{kind}/{name}.nc" for name in names],
                output=network_folder,
                seeds=SEEDS,
                format=stages.FORMATS["join"],
            message:
                f"Join the {kind} of the seeds of {{wildcards.network}}"
            shell:
                "python -m symbreak join --output {params.output} --seeds {params.seeds} --names {params.names} > {log} 2>&1"


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
    resources:
        mem_mb=growing(2000),
        runtime=growing(30 + 2 * len(SEEDS)),
    params:
        told=told("null"),
        folder=network_folder,
        settings=determined("null"),
    message:
        "Linear-Gaussian worlds without a network for {wildcards.network}, tap {wildcards.tap}"
    shell:
        "python -m symbreak null {params.told} --folder {params.folder} "
        "--taps {wildcards.tap} --threads {threads} 2>&1 | tee {log}"


if LAYOUT.voting:

    # From saved outputs: no network runs again.
    rule committee:
        input:
            voting(LAYOUT, EXPERIMENT),
        output:
            "<results>/committee.nc",
        log:
            "<logs>/committee.log",
        benchmark:
            "<benchmarks>/committee.tsv"
        conda:
            "../../environment.yml"
        resources:
            mem_mb=growing(2000),
            runtime=growing(30 + len(SEEDS) * len(CHECKED.networks) // 20),
        params:
            told=told("committee"),
            folder=experiment_folder,
            settings=determined("committee"),
        message:
            "Evaluate the soft committees"
        shell:
            "python -m symbreak committee {params.told} --folder {params.folder} > {log} 2>&1"
