# Foldwise: `make demo` and `make test` are all that a fresh machine needs (Python 3.11+, git, make).
.PHONY: help environment demo slurm test test-all lint format dry-run lock docs clean
.DEFAULT_GOAL := help

PYTHON ?= python3
STUDY ?= density
CORES ?= all
BIN := .venv/bin
ENVIRONMENT := .venv/.foldwise-run
DEVELOPMENT := .venv/.foldwise-dev
# Bytecode for the libraries is compiled at installation: without it every job starts 6 s later.
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode
PLUGIN := plugins/snakemake-executor-plugin-pbspro

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ —/'

$(BIN)/uv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Foldwise needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv==0.13.8

$(ENVIRONMENT): requirements.lock | $(BIN)/uv
	$(INSTALL) -r requirements.lock
	$(INSTALL) --no-deps -e $(PLUGIN)
	touch $@

$(DEVELOPMENT): requirements-dev.lock | $(BIN)/uv
	$(INSTALL) -r requirements-dev.lock
	$(INSTALL) --no-deps -e $(PLUGIN)
	touch $@ $(ENVIRONMENT)

environment: $(ENVIRONMENT) ## the environment from the lock file

demo: $(ENVIRONMENT) ## made-up data to a report (STUDY=density|zones|segmentation|distillation)
	$(BIN)/python phantoms/make_demo.py $(STUDY) demo/$(STUDY)
	$(BIN)/snakemake --configfile config/demo.yaml --config 'studies=["demo_$(STUDY)"]' --cores $(CORES)
	$(BIN)/snakemake --configfile config/demo.yaml --config 'studies=["demo_$(STUDY)"]' --cores $(CORES) bundle
	@$(BIN)/python workflow/scripts/show_results.py results/demo_$(STUDY)
	@$(BIN)/python phantoms/predict_one.py $(STUDY)

slurm: $(ENVIRONMENT) ## the executor of Slurm; apart, since it makes every start of snakemake slower
	$(INSTALL) snakemake-executor-plugin-slurm==2.8.0

test: $(DEVELOPMENT) ## unit, contract, DAG, small real runs, faults (about 10 minutes on 2 cores)
	$(BIN)/python -m pytest -m "not slow" -n 3 --dist loadscope --no-loadscope-reorder

test-all: $(DEVELOPMENT) ## the slow tests too
	$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder

lint: $(DEVELOPMENT) ## ruff, snakefmt, snakemake --lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint

format: $(DEVELOPMENT) ## format all code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow/rules

dry-run: $(ENVIRONMENT) ## the whole plan, without data
	$(BIN)/snakemake --profile ci

docs: $(ENVIRONMENT) ## config/README.md, envs/ and containers/ from the schemas and the lock file
	$(BIN)/python tools/write_docs.py

lock: | $(BIN)/uv ## newer versions into the lock files
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --upgrade pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate -c requirements.lock --group dev pyproject.toml -o requirements-dev.lock

clean: ## remove made-up data and its results; the environment and other results stay
	rm -rf demo results/demo_*
