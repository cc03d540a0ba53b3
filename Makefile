# Two commands do all set-up on a fresh machine with Python >= 3.11: `make compare` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# EXTRAS adds to what `make test` installs: CI sets it to `parity`.
EXTRAS ?=
COMMA := ,
# On all cores; `make test PYTEST=--maxfail=1` runs in one process. What takes longest starts first (tests/conftest.py).
PYTEST ?= --numprocesses auto --dist loadgroup --no-loadscope-reorder
FULL =

# Tests start some hundred processes, each of which would otherwise compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: compare test test-all faults pytest lint types layers format docs screenshots benchmarks clean

compare: .venv/.installed  ## tune SGD and Adam on digits and say which is better
	$(BIN)/cooldown compare digits

# Two jobs: the tests, and beside them the other checks one after the other.
test: .venv/.installed-test$(EXTRAS)  ## everything that CI checks
	@$(MAKE) --no-print-directory --jobs 2 pytest lint types layers FULL=$(FULL)

test-all:  ## the same with every combination, before a release
	@$(MAKE) --no-print-directory test FULL=--full

faults: .venv/.installed-test$(EXTRAS)  ## plant mistakes, and see that the tests see them
	$(BIN)/python -m tests.faults

pytest: .venv/.installed-test$(EXTRAS)
	$(BIN)/python -m pytest $(PYTEST) $(FULL)

lint: .venv/.installed-test$(EXTRAS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.installed-test$(EXTRAS)
	$(BIN)/mypy

layers: .venv/.installed-test$(EXTRAS)
	$(BIN)/lint-imports

format: .venv/.installed-test$(EXTRAS)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.installed  ## writes the catalog's pages from the catalog
	$(BIN)/python -m docs.generate

screenshots: .venv/.installed-test$(EXTRAS)  ## the pictures of the dashboard in docs
	$(BIN)/python -m docs.screenshots

benchmarks: .venv/.installed-test$(EXTRAS)
	$(PIP) --editable '.[parity]'
	$(BIN)/python -m benchmarks.engine
	$(BIN)/python -m benchmarks.rules
	$(BIN)/python -m benchmarks.ledger
	$(BIN)/python -m benchmarks.chaos --kills 20
	$(BIN)/python -m benchmarks.reading
	$(BIN)/python -m benchmarks.service --minutes 2
	$(BIN)/python -m benchmarks.end_to_end
	$(BIN)/python -m benchmarks.calibration
	$(BIN)/python -m benchmarks.forecast
	$(BIN)/python -m benchmarks.answers
	$(BIN)/python -m benchmarks.allocation
	$(BIN)/python -m benchmarks.effective_rate
	$(BIN)/python -m benchmarks.dry_run
	$(BIN)/python -m benchmarks.dashboard
	$(BIN)/python -m benchmarks.estimators
	$(BIN)/python -m benchmarks.fuzz
	$(BIN)/python -m benchmarks.models
	$(BIN)/python -m benchmarks.executors
	$(BIN)/python -m benchmarks.waiting
	$(BIN)/python -m benchmarks.large_table
	$(BIN)/python -m benchmarks.sparse
	$(BIN)/python -m benchmarks.large_training
	$(BIN)/python -m benchmarks.asynchronous

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Cooldown needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing into .venv (once) ..."
	$(PIP) --editable .
	touch $@

.venv/.installed-test$(EXTRAS): .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing into .venv (once) ..."
	$(PIP) --editable '.[test$(if $(EXTRAS),$(COMMA)$(EXTRAS))]'
	touch $@ .venv/.installed

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
