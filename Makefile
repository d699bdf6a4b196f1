# What one does here; `make` alone lists it. Everything stays in .venv, .demo and the user's cache.
# `make demo` needs Python 3.11 or newer and nothing else; PYTHON=/path/to/python picks one.
FITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3; do \
	$$name -c "$(FITS)" 2>/dev/null && command -v $$name && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
CHECKED := otel_guard tests benchmarks docs
KEEP ?=

.PHONY: help demo test check bench collector docs clean

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: .venv/.demo ## a shop, known faults, and where each of them shows (KEEP=1 leaves it running)
	@$(BIN)/otel-guard demo $(if $(KEEP),--keep)

test: .venv/.dev ## every test, each folder timed
	@$(BIN)/python -m otel_guard.demo.collector >/dev/null || echo "no Collector: the tests that need it are skipped"
	@$(BIN)/python -m tests.suite unit integration faults acceptance

check: .venv/.dev ## format, lint, types, imports and the fast tests
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy $(CHECKED)
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m tests.suite unit

bench: .venv/.dev ## measure, and write docs/benchmarks.md
	@$(BIN)/python -m benchmarks

collector: .venv/.demo ## build the Collector, print where it is
	@$(BIN)/python -m otel_guard.demo.collector

docs: .venv/.demo ## write docs/settings.md from the settings
	@$(BIN)/python -m docs.generate

clean: ## remove what the other targets made here
	rm -rf .venv .demo .cache dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/.pip:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.14 with venv here: install one (Debian: apt install python3-venv)," \
		"or name it: make PYTHON=/path/to/python"; exit 2; }
	@echo "making .venv with $(PYTHON) …"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	@$(PIP) install --upgrade "pip>=25" # an older one searches for minutes, then gives up
	@touch $@

.venv/.demo: .venv/.pip pyproject.toml constraints.txt
	@echo "installing otel-guard and what the demo needs …"
	@$(PIP) install --constraint constraints.txt --editable '.[demo]'
	@touch $@

.venv/.dev: .venv/.demo
	@echo "installing what the tests need …"
	@$(PIP) install --constraint constraints.txt --editable '.[dashboard,demo,dev]'
	@touch $@
