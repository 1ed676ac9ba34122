# What a newcomer types. Everything made here lies in .venv; models and indexes lie in the user's own folders.
#
#   make demo    set up what users need, then an index, an answer and a completion on a real package
#   make install what users need, with codemoat and codemoat-lsp linked into ~/.local/bin
#   make vsix    the VS Code extension, editors/vscode/codemoat.vsix
#   make test    set up everything, then all tests (with the real model and torch)
#   make check   style, types and the fast tests, in under a minute
#   make bench   every figure of benchmarks/README.md
#   make clean   remove .venv and caches of this folder

SHELL := /bin/bash
VENV := .venv
PYTHON_BIN := $(VENV)/bin/python

# A stamp says that the requirements of that day are installed; a change of them makes it stale.
REQUIREMENTS := pyproject.toml constraints.txt scripts/setup.sh
RUN := $(VENV)/.set-up-run
DEV := $(VENV)/.set-up-dev
TEST := $(VENV)/.set-up-test
BENCH := $(VENV)/.set-up-bench

.DEFAULT_GOAL := help
.PHONY: help setup install model vsix demo test check bench clean
# Steps write to the same .venv and print in order.
.NOTPARALLEL:

help:
	@sed -n 's/^#   //p' Makefile

setup: $(RUN) model

install: $(RUN) model
	@scripts/setup.sh link

vsix: $(RUN)
	@scripts/setup.sh vsix

$(RUN): $(REQUIREMENTS)
	@scripts/setup.sh run
	@touch $@

$(DEV): $(RUN)
	@scripts/setup.sh dev
	@touch $@

$(TEST): $(DEV) editors/vscode/package-lock.json editors/vscode/e2e/package-lock.json
	@scripts/setup.sh test
	@touch $@

$(BENCH): $(TEST)
	@scripts/setup.sh bench
	@touch $@

model: $(RUN)
	@scripts/setup.sh model

demo: $(RUN) model
	@scripts/demo.sh

test: $(TEST) model
	@$(PYTHON_BIN) -m pytest -n 2 --dist loadgroup

check: $(DEV)
	$(PYTHON_BIN) -m ruff check .
	$(PYTHON_BIN) -m ruff format --check .
	$(PYTHON_BIN) -m mypy
	$(PYTHON_BIN) -m pytest -q -n 2 --dist worksteal -m "not e2e and not slow and not transformers"

bench: $(BENCH) model
	$(PYTHON_BIN) -m benchmarks.all

clean:
	rm -rf $(VENV) build dist editors/vscode/dist editors/vscode/node_modules editors/vscode/e2e/node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
	@echo "Models and indexes stay in your own folders; 'codemoat models remove NAME' removes a model."
