# Two commands do everything: `make run` and `make test`. Each makes its own environment first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXPERIMENT ?= config/demo.yaml
CORES ?= all
PINNED := --constraint constraints.txt --editable '.[test]'
export UV_SYSTEM_CERTS := true
export PATH := $(CURDIR)/$(BIN):$(PATH)
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run report test lint calibrate bench bench-quick docs site clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/ready  ## create the environment in .venv

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "symbreak needs Python 3.11 or newer; name one by make PYTHON=/path/to/python3 …"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode $(PINNED) \
		|| $(BIN)/python -m pip install --quiet $(PINNED)
	$(BIN)/symbreak compile
	@touch $@

run: setup  ## run the experiment (EXPERIMENT=config/….yaml) and write its report
	@test -f $(EXPERIMENT) || { echo "There is no experiment file $(EXPERIMENT); name one of: $$(ls config/*.yaml | xargs)"; exit 2; }
	@TQDM_DISABLE=1 snakemake --cores $(CORES) --configfile $(EXPERIMENT) --logger rich \
		|| { echo "stopped; the whole log: $$(ls -t .snakemake/log/*.log | head -n 1)"; exit 1; }
	@$(MAKE) --no-print-directory report
	@echo "log      $$(ls -t .snakemake/log/*.log | head -n 1)"

report: setup  ## write the HTML report of what was run
	@name=$$(symbreak configure --config $(EXPERIMENT) | sed -n 's/^name: //p') \
	&& snakemake --configfile $(EXPERIMENT) --quiet all --report results/$$name/report.html \
	&& symbreak where results/$$name

test: setup lint  ## run every test, in as many processes as there are processors
	python -m pytest -n auto --dist loadfile

lint: setup  ## check style, types, layers and workflow
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	snakefmt --check Snakefile workflow
	snakemake --lint

calibrate: setup  ## simulate size and power of every test for docs/calibration.md
	symbreak calibrate > docs/calibration.md

bench: setup  ## measure everything in docs/speed.md
	python -m benchmarks

bench-quick: setup  ## report what has become slower since docs/speed.md was written
	python -m benchmarks --quick --against docs/data/speed.json

docs: setup  ## regenerate what is generated, and build the site docs/_build/html without a network
	symbreak schema --format markdown > docs/configuration.md
	symbreak schema --format json > workflow/schemas/config.schema.json
	symbreak schema --of files > docs/data-format.md
	symbreak schema --of results > docs/results.md
	symbreak schema --of config > config/README.md
	symbreak schema --of commands > docs/commands.md
	symbreak reproduction docs/data/cifar100_cpu docs/data/low_latency_cpu --figures docs/images/cifar100 > docs/reproduction.md
	symbreak papers docs/data/cifar100_cpu docs/data/low_latency_cpu docs/data/heads_sweep docs/data/heads_sweep_one_block > docs/papers.md
	@$(MAKE) --no-print-directory site

site: setup  ## build the site alone; any warning is an error
	@python -c 'import sphinx' 2>/dev/null || $(BIN)/uv pip install --quiet --python $(BIN)/python \
		--compile-bytecode --constraint constraints.txt --editable '.[test,docs]'
	sphinx-build --fail-on-warning --keep-going --quiet docs docs/_build/html
	linkchecker --config docs/linkchecker.ini --no-status docs/_build/html/index.html
	@echo "docs/_build/html/index.html"

clean:  ## remove the environment; results stay, and so does what Snakemake knows of them
	rm -rf $(VENV)
