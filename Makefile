# Two commands matter: `make run` shows a meeting, `make test` proves the program.
# Everything else is what they are made of. Python packages go into .venv, nowhere else.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
UV ?= uv
VENV ?= .venv
ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	--group build --generate-hashes --no-emit-index-url --no-annotate \
	--custom-compile-command "make lock"

.PHONY: help install install-test run test check check-types check-imports format bench fuzz lock wheel \
	clean

help: ## Show what can be made
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24
	@echo
	@echo "Variables: PYTHON=python3.12 (another interpreter), ARGS=\"...\" (passed on by run, test, bench, fuzz)"

install: $(VENV)/.installed ## Make .venv with the program in it

install-test: $(VENV)/.installed-test ## ... and with what tests and benchmarks need

run: install ## Start a small province with a running conference, and say where to look
	@$(BIN)/mcu demo $(ARGS)

test: install-test check ## Check the code, then run all tests on all cores
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

check: install-test ## Lint, format, types, direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory --jobs=2 --output-sync check-types check-imports

check-types:
	@$(BIN)/mypy

check-imports:
	@$(BIN)/lint-imports

format: install-test ## Put the code in its form and repair what can be repaired
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: install-test ## Measure everything in short, some ten minutes; ARGS="capacity rest" for a part
	@$(BIN)/python -m bench $(ARGS)

fuzz: $(VENV)/.installed-fuzz ## Look a minute for inputs that break a parser; ARGS="--seconds 600" for longer
	@$(BIN)/python -m tests.fuzz.campaign $(ARGS)

lock: ## Pin all packages with their hashes again (needs uv; ARGS=--upgrade for newer versions)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv"; exit 1; }
	@$(COMPILE) $(ARGS) --output-file requirements.txt
	@$(COMPILE) $(ARGS) --extra test --extra bench --constraints requirements.txt \
		--output-file requirements-test.txt
	@echo 'atheris<3.1' | $(UV) pip compile - --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --custom-compile-command "make lock" $(ARGS) \
		--output-file requirements-fuzz.txt

wheel: install ## Build the wheel into dist/
	@$(PIP) wheel --no-deps --no-build-isolation --wheel-dir dist .

clean: ## Remove what was made, but not data/
	@rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@scripts/require-system run "$(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(BIN)/python
	@scripts/require-system run "$(PYTHON)"
	@echo "Installing the program's packages into $(VENV) ..."
	@$(PIP) install --require-hashes --only-binary :all: -r requirements.txt
	@$(PIP) install --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.installed-test: requirements-test.txt $(VENV)/.installed
	@scripts/require-system test "$(PYTHON)"
	@echo "Installing the packages of tests and benchmarks into $(VENV) ..."
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-test.txt
	@touch $@

$(VENV)/.installed-fuzz: requirements-fuzz.txt $(VENV)/.installed-test
	@echo "Installing atheris into $(VENV) (CPython 3.11 to 3.13, Linux on x86-64) ..."
	@$(PIP) install --require-hashes --only-binary :all: -r requirements-fuzz.txt
	@touch $@
