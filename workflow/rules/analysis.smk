# The numpy wing: matrices and clusters of every node, joined over seeds.
# All taps in one job: starting a process costs more than scanning a tap.
for suffix, taps, networks in tap_lists():

    rule:
        name:
            f"scan{suffix}"
        input:
            moments=expand(
                "<results>/{{network}}/seed{{seed}}/moments/{tap}.nc", tap=taps
            ),
        output:
            statistics=expand(
                "<results>/{{network}}/seed{{seed}}/statistics/{tap}.nc", tap=taps
            ),
            nodes=expand("<results>/{{network}}/seed{{seed}}/nodes/{tap}.nc", tap=taps),
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
        threads: 1
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            experiment=EXPERIMENT_FILE,
            folder=seed_folder,
            taps=taps,
            settings=section("statistics"),
        message:
            "Scan thresholds of {wildcards.network}, seed {wildcards.seed}"
        shell:
            "python -m symbreak scan --config {params.experiment} --folder {params.folder} "
            "--taps {params.taps} --threads {threads} 2>&1 | tee {log}"


for suffix, taps, networks in tap_lists():

    rule:
        name:
            f"join{suffix}"
        input:
            expand(
                "<results>/{{network}}/seed{seed}/statistics/{tap}.nc",
                seed=SEEDS,
                tap=taps,
            ),
        output:
            expand("<results>/{{network}}/statistics/{tap}.nc", tap=taps),
        log:
            "<logs>/join/{network}.log",
        wildcard_constraints:
            network=networks,
        group:
            "scans"
        conda:
            "../../environment.yml"
        resources:
            mem_mb=2000,
            runtime=30,
        params:
            folders=seed_folders,
            names=expand("statistics/{tap}.nc", tap=taps),
            output=network_folder,
            version=VERSION,
        message:
            "Join the seeds of {wildcards.network}"
        shell:
            "python -m symbreak join {params.folders} --names {params.names} --output {params.output} > {log} 2>&1"
