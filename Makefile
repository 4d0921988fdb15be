# The few verbs a person needs. Each does all the set-up that is not there yet.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PLUGINS := $(wildcard plugins/*)

.PHONY: setup demo test check faults coverage bench docs clean

setup: $(READY)

$(READY): pyproject.toml $(PLUGINS:%=%/pyproject.toml)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Seqloom needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[dev,docs]' $(PLUGINS:%=--editable ./%)
	@touch $@

demo: $(READY)
	$(BIN)/seqloom demo translation

# Two processes with a thread each: on two cores that is faster than one with two.
test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m 'not faults'

faults: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 -m faults

coverage: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist worksteal -m 'not faults' --cov

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/unit/test_floors.py
	$(MAKE) docs

docs: $(READY)
	$(BIN)/sphinx-build --quiet --fail-on-warning -b html docs docs/_build/html

bench: $(READY)
	$(BIN)/python benchmarks/everything.py

clean:
	rm -rf $(VENV) build dist docs/_build .mypy_cache .ruff_cache .pytest_cache
