# Everything runs from .venv, made on first use with Python 3.11 or newer (PYTHON=... chooses one).
# Stamp files in .venv keep repeated calls quick.

SHELL := /bin/sh
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
ARGS ?=
# One more than there are cores, as many tests wait for real servers.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))
export PYTHON

HOME_TESTS := tests/e2e/homeassistant/.venv/.stamp
NODE_TESTS := $(patsubst %/package.json,%/node_modules/.stamp,$(wildcard tests/node*/package.json))

.PHONY: help demo test lint format types bench scale chaos nodes home openapi examples clean

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1 — /p' Makefile

demo: .venv/.installed  ## start everything, watch two virtual chargers charge (Ctrl-C ends it)
	@$(BIN)/python -m gateway.demo $(ARGS)

test: .venv/.dev servers $(NODE_TESTS) $(HOME_TESTS)  ## run all tests
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

lint: .venv/.dev  ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: .venv/.dev  ## ruff: format, and fix what can be fixed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: .venv/.dev  ## mypy --strict
	@$(BIN)/mypy --strict -p gateway -p adapters

bench: .venv/.dev  ## full path against the usual stack: ratio, latency, memory, profile
	@$(BIN)/python -m tests.bench $(ARGS)

scale: .venv/.dev servers  ## the same with ten thousand chargers, an idle crowd of 20,000, nodes under faults, soaks
	@ulimit -n "$$(ulimit -Hn)"; $(BIN)/python -m tests.bench --chargers 10000 --idle 10000 --rounds 1 $(ARGS)
	@$(BIN)/python -m tests.bench.crowd
	@$(BIN)/python -m tests.chaos.nodes --minutes 5
	@$(BIN)/python -m pytest -m soak

MINUTES ?= 10
CHARGERS ?=
SEED ?=
CHAOS = --minutes $(MINUTES) $(if $(CHARGERS),--chargers $(CHARGERS)) $(if $(SEED),--seed $(SEED)) $(ARGS)

chaos: .venv/.dev servers  ## money exactly once, whatever is killed and cut: MINUTES=10 CHARGERS=50 SEED= (drawn)
	@$(BIN)/python -m tests.chaos.run $(CHAOS)

nodes: .venv/.dev servers  ## N nodes are one gateway, whatever becomes of them: MINUTES=10 CHARGERS=3000 SEED= (drawn)
	@$(BIN)/python -m tests.chaos.nodes $(CHAOS)

HOURS ?= 24
SPEED ?= 300

home: .venv/.dev servers  ## a day of a home in fast time, two wallboxes and two cars: HOURS=24 SPEED=300 SEED= (drawn)
	@$(BIN)/python -m tests.chaos.home --hours $(HOURS) --speed $(SPEED) $(if $(SEED),--seed $(SEED)) $(ARGS)

openapi: .venv/.dev  ## write anew what is made from the code: openapi/ and gateway/ocpp/README.md
	@$(BIN)/python -m adapters.rest.openapi
	@$(BIN)/python -m adapters.mqtt.asyncapi
	@$(BIN)/python -m adapters.mqtt.json_schemas
	@$(BIN)/python -m adapters.mqtt.result_table
	@$(BIN)/python -m gateway.ocpp.tables

examples: .venv/.dev  ## record openapi/examples anew from a running gateway, then write what shows them
	@$(BIN)/python -m tests.openapi.recording >/dev/null
	@$(MAKE) --no-print-directory openapi

clean:  ## remove what was made here
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis tests/node*/node_modules \
	    tests/e2e/homeassistant/.venv

# ---------------------------------------------------------------- setting up

.PHONY: servers
servers:
	@sh .ci/servers

$(BIN)/python:
	@sh .ci/venv

.venv/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing the gateway into .venv ..."
	@$(PIP) install --editable .
	@touch $@

.venv/.dev: pyproject.toml .venv/.installed
	@echo "Installing the tools for tests into .venv ..."
	@$(PIP) install --editable '.[dev]'
	@touch $@

# Tests with Node clients are skipped where npm is missing or cannot install.
tests/%/node_modules/.stamp: tests/%/package.json tests/%/package-lock.json
	@if ! command -v npm >/dev/null 2>&1; then \
	    echo "npm is not installed: the tests with Node are skipped"; \
	else \
	    cd tests/$* && npm ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules/.stamp \
	        || echo "npm could not install tests/$*: the tests with it are skipped"; \
	fi

# Tests with Home Assistant are skipped where no Python can run it, or it cannot be installed.
tests/e2e/homeassistant/.venv/.stamp: .ci/homeassistant
	@sh .ci/homeassistant
