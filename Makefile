# Everything starts here: `make` alone shows what there is.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --no-deps
# The environment is fresh when a stamp of this very lock file exists.
STAMP := $(VENV)/.ready-$(firstword $(shell cksum requirements.lock))
# The converter of LiteRT excludes the packages of the others.
LITERT_VENV := .venv-litert
LITERT_STAMP := $(LITERT_VENV)/.ready-$(firstword $(shell cksum requirements-litert.lock))
# What a run imports, the longest first.
FIRST_IMPORTS := torch._dynamo great_expectations mlflow.server onnxscript torch.onnx matplotlib.pyplot kfp.compiler onnxruntime.quantization
SCENARIO ?=
PYTEST_ARGS ?=
# Two more than cores: many tests wait for processes.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2) + 2)
# Nothing that edgeloop uses reports usage, unless the caller says otherwise.
export DO_NOT_TRACK ?= 1
export MLFLOW_DISABLE_TELEMETRY ?= true
export DVC_NO_ANALYTICS ?= true
export PYTHONHASHSEED ?= 0
# Modules are compiled once: a run starts a dozen processes, the tests start hundreds.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help env litert run test test-all lint format bench compile lock clean

help: ## show this help
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(STAMP) ## build .venv from requirements.lock

$(STAMP): requirements.lock
	@command -v git >/dev/null || { echo "error: git: not found; install git" >&2; exit 3; }
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON): not found; install Python 3.11 or newer, or set PYTHON=" >&2; exit 3; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON): older than 3.11; set PYTHON= to a newer one" >&2; exit 3; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: $(PYTHON): has no venv module; install it (Debian: python3-venv)" >&2; exit 3; }
	@rm -f $(VENV)/.ready-*
	$(PYTHON) -m venv $(VENV)
	@# What a new environment holds already is replaced first: the others must not meet it half removed.
	grep '^setuptools==' requirements.lock | $(PIP_INSTALL) --no-compile -r /dev/stdin
	@# Unpacking takes the time, so two unpack at once: without dependencies the order of the packages is free.
	printf '0\n1\n' | xargs -P 2 -I HALF sh -c "awk 'NR % 2 == HALF' requirements.lock | $(PIP_INSTALL) --no-compile -r /dev/stdin"
	$(PIP_INSTALL) --no-build-isolation -e .
	$(PY) -m pip check
	@$(PY) -c 'import torch' || { echo "error: torch: cannot be imported; give pip the CPU build of torch (see README, Platforms)" >&2; exit 3; }
	@# Python compiles what it imports, pip would compile five times as much, on one core.
	printf '%s\n' $(FIRST_IMPORTS) | xargs -n 1 -P 2 $(PY) -c 'import importlib, sys; importlib.import_module(sys.argv[1])'
	@touch $@

litert: $(LITERT_STAMP) ## build .venv-litert, for convert.formats: litert

$(LITERT_STAMP): requirements-litert.lock
	@$(PYTHON) -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON): no Python 3.11 or newer with the venv module; set PYTHON=" >&2; exit 3; }
	@rm -f $(LITERT_VENV)/.ready-*
	$(PYTHON) -m venv $(LITERT_VENV)
	$(LITERT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-litert.lock
	$(LITERT_VENV)/bin/python -m pip check
	@$(LITERT_VENV)/bin/python -c 'import litert_torch' 2>/dev/null || { echo "error: litert_torch: cannot be imported; give pip the CPU build of torch (see README, Platforms)" >&2; exit 3; }
	@touch $@

run: env ## run the release pipeline here [SCENARIO=name]
	$(PY) -m pipelines run $(if $(SCENARIO),--scenario $(SCENARIO))

# What measures runs alone and last: beside other tests a benchmark calls itself contended, and rightly.
test: env lint ## lint and run all tests but the longest
	$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not quiet and not long" $(PYTEST_ARGS)
	$(PY) -m pytest -m "quiet and not long" $(PYTEST_ARGS)

test-all: env lint ## lint and run every test
	$(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not quiet" $(PYTEST_ARGS)
	$(PY) -m pytest -m quiet $(PYTEST_ARGS)

lint: env ## ruff, mypy --strict, import-linter
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: env ## format the code
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

bench: env ## print the figures of benchmarks/
	$(PY) -m benchmarks

compile: env ## write manifests/kfp
	$(PY) -m pipelines compile

lock: ## resolve requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --extra pipelines --group dev --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --no-header $(UV_ARGS) | sed 's/^\(torch==[0-9.]*\)+cpu$$/\1/' > requirements.lock.new
	mv requirements.lock.new requirements.lock

clean: ## remove outputs, caches and the environment
	rm -rf artifacts $(VENV) $(LITERT_VENV) .pytest_cache .ruff_cache .mypy_cache .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
