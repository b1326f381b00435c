# Two commands do all of their own set-up: `make run` and `make test`.
.DEFAULT_GOAL := help
.PHONY: help run test check reference docs clean

FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
COMPILED := benchmark.metrics.topk_kernels, adapters.surprise.training, adapters.native.kernels.similarity, adapters.native.kernels.slim, adapters.native.kernels.bpr, adapters.native.kernels.als
SPELLED := README.md CHANGELOG.md CONTRIBUTING.md docs results/README.md results/reference benchmark adapters suites tests perf examples
# Two OpenMP threads on two cores can be ten times slower than one; slots set their own caps.
export OMP_NUM_THREADS ?= 1

help:
	@echo "make run        install, run suites/movielens.yaml, show the board (BENCH_DATA names the folder of data sets)"
	@echo "make test       install, pass every check and the fast tests"
	@echo "make check      every check: ruff, codespell, mypy, import-linter"
	@echo "make reference  the slow tests that reproduce published results, then those that need the machine alone"
	@echo "make docs       build the documentation into build/site; every warning is an error"
	@echo "make clean      remove what was installed and cached; runs in results/ stay"

# Keras runs on the CPU build of TensorFlow here: the extra `keras` asks for the full one, 600 MB more.
# Installed once; again only when what is installed would change.
$(VENV)/.installed: pyproject.toml constraints.txt Makefile
	@"$(PYTHON)" -c '$(FITS)' || { echo "bench needs Python 3.11 to 3.13; name one: make PYTHON=/path/to/python3.12 ..." >&2; exit 2; }
	@echo "installing into $(VENV) (some minutes the first time)"
	@"$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt \
		-e '.[surprise,lightfm,torch,content,dev]' keras tensorflow-cpu deepctr
	@echo "compiling what numba would compile at first use"
	@$(BIN)/python -c "import $(COMPILED)"
	@touch $@

run: $(VENV)/.installed
	@$(BIN)/bench run suites/movielens.yaml

check: $(VENV)/.installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell $(SPELLED)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

test: check
	@$(BIN)/pytest -n 2 --dist loadfile

reference: $(VENV)/.installed
	@$(BIN)/pytest -m "slow and not alone and not gpu and not network" -n 2 --dist worksteal
	@$(BIN)/pytest -m "alone and not gpu and not network"

# What builds the documentation comes on top: `make run` and `make test` do without it.
$(VENV)/.docs: $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

docs: $(VENV)/.docs
	@$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
