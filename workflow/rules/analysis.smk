# The numpy wing: matrices and clusters of every node, joined over seeds.
rule scan:
    input:
        experiment=ancient("<results>/experiment.yaml"),
        moments="<results>/{network}/seed{seed}/moments/{tap}.nc",
    output:
        statistics="<results>/{network}/seed{seed}/statistics/{tap}.nc",
        nodes="<results>/{network}/seed{seed}/nodes/{tap}.nc",
    log:
        "<logs>/scan/{network}.seed{seed}.{tap}.log",
    benchmark:
        "<benchmarks>/scan/{network}.seed{seed}.{tap}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        settings=section("statistics"),
    message:
        "Scan thresholds at {wildcards.tap} of {wildcards.network}, seed {wildcards.seed}"
    shell:
        "python -m symbreak scan --config {input.experiment} --moments {input.moments} "
        "--statistics {output.statistics} --nodes {output.nodes} --threads {threads} > {log} 2>&1"


rule join:
    input:
        over_seeds("<results>/{network}/seed{seed}/{kind}/{tap}.nc"),
    output:
        "<results>/{network}/{kind}/{tap}.nc",
    log:
        "<logs>/join/{network}.{kind}.{tap}.log",
    wildcard_constraints:
        kind="statistics|moments|nodes",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSION,
    message:
        "Join the seeds of {wildcards.network}: {wildcards.kind} at {wildcards.tap}"
    shell:
        "python -m symbreak join {input} --output {output} > {log} 2>&1"
