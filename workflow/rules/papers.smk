# Every printed table of both papers: reproduced at full budget, in miniature, or not run.
rule papers:
    input:
        statistics=all_statistics(),
        heads=heads_of_all,
        pruning=all_pruning(),
        committees=["<results>/committee.nc"] if VOTING else [],
    output:
        report(
            "<results>/papers.html",
            caption="../report/papers.rst",
            category="Paper beside ours",
            labels={"shows": "every printed table and its status"},
        ),
    log:
        "<logs>/results/papers.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        version=VERSION,
    message:
        "Put the papers beside what was run"
    shell:
        "python -m symbreak papers --html {output} > {log} 2>&1"
