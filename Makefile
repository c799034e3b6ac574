# The documented doors: make setup, demo, try, test, faults, lint, docs, screenshots, bench, load, serve.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell for one in python3.13 python3.12 python3.11 python3; do \
  command -v $$one >/dev/null && $$one -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && { echo $$one; break; }; done)
SCHEMA ?= FA3
RUNS ?= 500
SEED ?= 1
SCALE ?= 1
VENV := .venv
ifneq ($(words $(VENV)),1)
$(error VENV must be one name without spaces)
endif
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help setup demo test faults lint docs screenshots bench load serve try clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 14

setup: $(READY) ## Make the virtual environment and install everything (first run: about a minute)

$(READY): pyproject.toml constraints.txt tools/make_venv.sh
	@bash tools/make_venv.sh "$(PYTHON)" "$(VENV)"
	@touch $@

demo: setup ## Recorded orders to a KSeF sandbox and back (SCHEMA=FA2 for the older structure)
	@$(BIN)/ksef-connector demo --schema $(SCHEMA)

# databases of the tests wait for the disk at every commit; in memory the suite takes half the time
test: setup ## Run the whole test suite
	@bash tools/ensure_chromium.sh
	@bash tools/ensure_services.sh
	TMPDIR="$${TMPDIR:-$$(if test -w /dev/shm; then echo /dev/shm; else echo /tmp; fi)}" \
	  $(BIN)/python -m pytest -n 2 --dist worksteal

faults: setup ## Break it: long proofs, then RUNS=500 seeded runs with kills and faults (SEED=s repeats one)
	@bash tools/ensure_services.sh
	export TMPDIR="$${TMPDIR:-$$(if test -w /dev/shm; then echo /dev/shm; else echo /tmp; fi)}"; \
	  if [[ '$(SEED)' != *-* ]]; then $(BIN)/python -m pytest -n 2 --dist worksteal -m faults; fi; \
	  $(BIN)/python -m tests.faults.runs --runs $(RUNS) --seed '$(SEED)' -n 2

lint: setup ## Format, lint, types, import rules, known faults of dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.audit_dependencies

docs: setup ## Write the command reference and the rule book from the program
	$(BIN)/python -m tools.cli_reference
	$(BIN)/python -m tools.rulebook_reference

screenshots: setup ## Take the pictures of docs/img anew, of an invented installation
	@bash tools/ensure_chromium.sh
	$(BIN)/python -m tools.screenshots

bench: setup ## Measure speed against a floor in the same run
	$(BIN)/python -m benchmarks

load: setup ## Whole installations under load, with production limits (ONLY=a|b|c|d, SCALE=0.1)
	$(BIN)/python -m benchmarks.load $(foreach one,$(ONLY),--only $(one)) --scale $(SCALE)

serve: setup ## Run the application
	$(BIN)/ksef-connector serve

try: setup ## Run it with sandboxes of KSeF and shops beside it, to try everything in the browser
	@KSEF_CONNECTOR_HOME="$${KSEF_CONNECTOR_HOME:-demo-output/try}" $(BIN)/ksef-connector serve --sandbox

clean: ## Remove what setup and demo made
	rm -rf '$(VENV)' demo-output
