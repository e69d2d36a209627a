# Every target may be run first, again, or after one that was cut off: a stamp in .venv is written
# only when an installation has ended well.
#
#   make run        install the base package, train configs/quickstart.yaml until it groks
#   make test       install everything, run the tests (make test-slow: those of a minute and more)
#   make test-docker  build the image with a real Docker daemon, run it, talk to it
#   make lint       ruff, mypy and the import linter
#   make docs       write docs/cli.md and docs/bad_input.md anew
#   make bench      optimizer steps a second beside hand-written loops

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BASE := $(VENV)/.installed-base
ALL := $(VENV)/.installed-all
SOURCES := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow test-docker lint docs bench clean

help:
	@sed -n 's/^#   //p' Makefile

run: $(BASE)
	$(BIN)/grokkeras run configs/quickstart.yaml

setup: $(ALL)

# Most tests wait for one compiler thread of a process of their own, so two files run at a time.
test: $(ALL)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" --durations 25

test-slow: $(ALL)
	$(BIN)/python -m pytest -m slow --timeout 0

# Needs no installation: the image is made and asked by Docker and curl alone.
test-docker:
	deploy/test_docker.sh

lint: $(ALL)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(ALL)
	$(BIN)/python docs/generate.py

bench: $(ALL)
	$(BIN)/grokkeras bench steps

# Not a file of its own: an interrupted `venv` leaves a python without pip, which this mends.
define make_venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.11 ..."; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
endef

$(BASE): $(SOURCES)
	$(make_venv)
	@echo "Installing grokkeras and TensorFlow into $(VENV); the first time takes some minutes."
	@$(BIN)/python -m pip install -q -c constraints.txt -e .
	@touch $@

# All extras contain the base, so `make run` after `make test` has nothing to install.
$(ALL): $(SOURCES)
	$(make_venv)
	@echo "Installing all three backends and the tools into $(VENV); the first time takes minutes."
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[all]'
	@touch $(BASE) $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
