# The numpy wing: matrices and clusters of every node, heads and what chance gives, joined over seeds.
# All taps in one job: starting a process costs more than scanning a tap.
for suffix, taps, networks in lists(LAYOUT, "statistics"):

    rule:
        name:
            f"scan{suffix}"
        input:
            expand("<results>/{{network}}/seed{{seed}}/moments/{tap}.nc", tap=taps),
        output:
            expand(
                "<results>/{{network}}/seed{{seed}}/{kind}/{tap}.nc",
                kind=["statistics", "nodes"],
                tap=taps,
            ),
        log:
            "<logs>/scan/{network}.seed{seed}.log",
        benchmark:
            "<benchmarks>/scan/{network}.seed{seed}.tsv"
        wildcard_constraints:
            network=networks,
        group:
            "scans"
        conda:
            "../../environment.yml"
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            told=told("scan"),
            folder=seed_folder,
            taps=taps,
            settings=determined("scan"),
        message:
            "Scan thresholds of {wildcards.network}, seed {wildcards.seed}"
        shell:
            "python -m symbreak scan {params.told} --folder {params.folder} "
            "--taps {params.taps} --threads {threads} 2>&1 | tee {log}"


# Which head stands for which label, and is it more than chance. Networks without attention have no part in it.
for suffix, taps, networks in lists(LAYOUT, "heads"):

    rule:
        name:
            f"heads{suffix}"
        input:
            expand("<results>/{{network}}/seed{{seed}}/moments/{tap}.nc", tap=taps),
        output:
            expand("<results>/{{network}}/seed{{seed}}/heads/{tap}.nc", tap=taps),
        log:
            "<logs>/heads/{network}.seed{seed}.log",
        benchmark:
            "<benchmarks>/heads/{network}.seed{seed}.tsv"
        wildcard_constraints:
            network=networks,
        group:
            "scans"
        conda:
            "../../environment.yml"
        resources:
            mem_mb=2000,
            runtime=10,
        params:
            told=told("heads"),
            folder=seed_folder,
            taps=taps,
            settings=determined("heads"),
        message:
            "Analyse the heads of {wildcards.network}, seed {wildcards.seed}"
        shell:
            "python -m symbreak heads {params.told} --folder {params.folder} "
            "--taps {params.taps} --threads {threads} 2>&1 | tee {log}"

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
            mem_mb=2000,
            runtime=10,
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
                mem_mb=2000,
                runtime=5,
            params:
                folders=seed_folders,
                names=[f"{kind}/{name}.nc" for name in names],
                output=network_folder,
                format=stages.FORMATS["join"],
            message:
                f"Join the {kind} of the seeds of {{wildcards.network}}"
            shell:
                "python -m symbreak join {params.folders} --names {params.names} --output {params.output} > {log} 2>&1"


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
        mem_mb=2000,
        runtime=30,
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
            mem_mb=4000,
            runtime=60,
        params:
            told=told("committee"),
            folder=experiment_folder,
            settings=determined("committee"),
        message:
            "Evaluate the soft committees"
        shell:
            "python -m symbreak committee {params.told} --folder {params.folder} > {log} 2>&1"
