# Everything a fresh machine needs: `make generate` runs the main job, `make test` the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: generate test lint format bench check-exports clean

generate: $(VENV)/.base
	$(BIN)/python cli.py generate --size 10000 --seed 42

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks.generate

$(VENV)/.base: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.dev: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev,finetune]"
	touch $@ $(VENV)/.base

check-exports: $(VENV)/.dev
	$(BIN)/python -m benchmarks.check_exports --rows 1000 --write

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis
