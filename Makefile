# Every target sets up what it needs first; the second time that takes no time.
# NOTEBOOK=03 narrows `run` and the tests to one notebook, MODULE=checks narrows `test` to tests/test_checks.py;
# PYTHON=python3.12 chooses a Python; ARGS="…" is passed on.

SHELL := /bin/sh
IN_RANGE := import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
CANDIDATES := python3 python3.12 python3.13 python3.11 python3.10 python
# The first Python that TensorFlow can run on; where there is none, tools/environment.py says so.
PYTHON ?= $(shell for python in $(CANDIDATES); do \
	$$python -c '$(IN_RANGE)' 2>/dev/null && echo $$python && exit; done; echo python3)
VENV_PYTHON := .venv/bin/python
# A container's user is often root, which Jupyter refuses to run as unless told.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
# What is tested where not everything is: files for pytest, and words for its -k.
FILES := $(if $(NOTEBOOK),notebooks/$(NOTEBOOK)*.ipynb) $(if $(MODULE),tests/test_$(MODULE).py)
WORDS := $(if $(NOTEBOOK),-k $(NOTEBOOK))

.PHONY: help lab serve test test-full test-mistakes test-random-mistakes test-browser run handouts bench bench-quick lint format lock clean environment environment-dev

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: environment ## open the notebooks in JupyterLab
	@$(VENV_PYTHON) -m jupyterlab --log-level=WARN $(AS_ROOT) notebooks $(ARGS)

serve: environment ## start the digit reader of notebook 03 and its web page, on this machine only
	@$(VENV_PYTHON) -m service $(ARGS)

test: environment-dev ## run every test and notebook on the sample data, without a network
	@TUTORIAL_DATA=sample $(VENV_PYTHON) -m pytest $(FILES) $(ARGS)

test-full: environment-dev ## the same on the full data, with every output compared
	@TUTORIAL_DATA=full $(VENV_PYTHON) -m pytest $(FILES) $(ARGS)

test-mistakes: environment-dev ## plant mistakes in copies of the notebooks and see that each is caught
	@$(VENV_PYTHON) -m pytest -m mistakes --dist=worksteal tests/test_mistakes.py $(WORDS) $(ARGS)

test-random-mistakes: environment-dev ## the same with fifty mistakes a notebook, drawn at random (an hour)
	@$(VENV_PYTHON) -m pytest -m random_mistakes --dist=worksteal tests/test_mutations.py $(WORDS) $(ARGS)

test-browser: environment-dev ## run the notebooks in JupyterLab in a real browser and touch every slider
	@$(VENV_PYTHON) -m pytest -m browser --numprocesses=0 tests/test_browser.py $(WORDS) $(ARGS)

run: environment ## execute the notebooks, write them back with fresh outputs, and keep their run times
	@$(VENV_PYTHON) -m tools.run_notebooks $(NOTEBOOK) $(ARGS)

handouts: environment-dev ## make students' notebooks, PDF and HTML in build/handouts
	@$(VENV_PYTHON) -m handouts $(ARGS)

bench: environment-dev ## race our recipes against the tutorials people use, on the full data (an hour; resumes)
	@$(VENV_PYTHON) -m benchmarks $(ARGS)

bench-quick: environment-dev ## the same for MNIST with one seed, in a minute or two
	@$(VENV_PYTHON) -m benchmarks --quick $(ARGS)

lint: environment-dev ## see whether code and notebooks are formatted and free of lint; changes nothing
	@$(VENV_PYTHON) -m ruff format --check
	@$(VENV_PYTHON) -m ruff check

format: environment-dev ## format code and notebooks, and mend what can be mended
	@$(VENV_PYTHON) -m ruff format
	@$(VENV_PYTHON) -m ruff check --fix

lock: ## choose the newest versions of all packages and write constraints.txt
	@$(PYTHON) tools/environment.py --lock

clean: ## remove the environment and everything that was built; what `make bench` measured stays
	rm -rf .venv .pytest_cache .ruff_cache
	if [ -d build ]; then find build -mindepth 1 -maxdepth 1 ! -name bench -exec rm -rf {} +; fi
	find . -name __pycache__ -prune -exec rm -rf {} +

environment:
	@$(PYTHON) tools/environment.py

environment-dev:
	@$(PYTHON) tools/environment.py --dev
