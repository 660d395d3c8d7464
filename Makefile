# Everything that is done with this repository. `make help` says what there is.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PYTEST = $(BIN)/pytest -q --numprocesses auto --maxprocesses 4 --dist loadfile
PIN = $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options
RUN_TIME = --extra ingest --extra relay --extra rules --extra alerts --extra oidc --extra chat --extra build
AS_ROOT := $(if $(filter-out 0,$(shell id -u)),sudo)

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-distributed run up down status test test-all mutants faults lint format grafana schema criteria part-11 golden lock sbom audit licences bench bench-e2e clean

help: ## print every target
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .venv/.ready ## make .venv with everything pinned (a second when nothing changed)

.venv/.ready: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'setup: needs Python 3.11 or newer (Debian: apt-get install python3; else PYTHON=/its/path)'; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(AS_ROOT) apt-get update -qq \
		&& $(AS_ROOT) apt-get install -qq -y --no-install-recommends python3-venv; } \
		|| { echo 'setup: needs the venv module of Python (Debian: apt-get install python3-venv)'; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## a synthetic trial through the real MLLP port, to graded records and a DSMB mail
	$(BIN)/aegis demo

demo-distributed: setup ## the same by many processes on PostgreSQL and Kafka, proven to be the same
	$(BIN)/python -m deploy.local.demonstration --data var/demo-distributed

run: setup ## the service on this machine, data in var/
	$(BIN)/aegis run

up: setup ## PostgreSQL, Kafka and the workers on this machine, data and logs in var/up
	$(BIN)/python -m deploy.local up

down: setup ## end what `make up` started
	$(BIN)/python -m deploy.local down

status: setup ## what of `make up` runs, and where
	$(BIN)/python -m deploy.local status

test: setup ## the tests that need no server: minutes
	$(PYTEST) -m "not slow and not server"

test-all: setup ## every test, those that start, kill and restart processes and servers too
	$(PYTEST) $(if $(CI),-m "slow or server") # .ci/run has called `make test` before

grafana: setup ## deploy/grafana/dashboards, from the code beside them
	$(BIN)/python -m deploy.grafana.generate

mutants: setup ## 120 small faults in the rules: do tests notice? N=500 or ALL=1, SEED=2, MODULE=path
	$(BIN)/python -m tests.mutants $(if $(ALL),--count 0,$(if $(N),--count $(N))) \
		$(if $(SEED),--seed $(SEED)) $(if $(MODULE),--module $(MODULE))

faults: setup ## processes killed, servers cut, receivers hung, floods, mutated content; N=500 for more
	$(if $(N),AEGIS_FAULT_RUNS=$(N)) $(PYTEST) tests/faults

part-11: setup ## docs/part-11.md, from the marks of the tests
	$(BIN)/python -m tests.helpers.part_11_table > docs/part-11.md.new && mv docs/part-11.md.new docs/part-11.md

schema: setup ## docs/fact.schema.json, from the code that reads facts
	$(BIN)/python -c 'import json; from services.ingest.facts import schema; \
		print(json.dumps(schema(), indent=2))' > docs/fact.schema.json

criteria: setup ## docs/criteria.md, from the criteria files
	$(BIN)/python -m services.safety_rules.reports.criteria_document > docs/criteria.md

golden: setup ## tests/golden, what the rules make of fixed trials; first see services/safety_rules/edition.py
	$(BIN)/python -m tests.helpers.golden_set

sbom: setup ## build/aegis.cdx.json, the bill of materials of the image's packages (CycloneDX)
	@mkdir -p build
	$(BIN)/python -m deploy.supply sbom > build/aegis.cdx.json

audit: setup ## what is known against the image's packages; fails when its source does not answer
	$(BIN)/python -m deploy.supply audit

licences: setup ## the licences of the image's packages; fails on one that nobody has accepted
	$(BIN)/python -m deploy.supply licences

lint: setup ## style, types, layers, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell services tests docs studies migrations benchmarks deploy README.md CHANGELOG.md

format: setup ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup ## pin every dependency anew, with hashes: at run time, and to develop and to demonstrate
	$(BIN)/pip install --quiet pip-tools
	$(PIN) $(RUN_TIME) --extra demo --extra dev --output-file requirements-dev.lock pyproject.toml
	$(PIN) $(RUN_TIME) --constraint requirements-dev.lock --output-file requirements.lock pyproject.toml

bench: setup ## speed and memory, each beside its floor in the same run
	$(BIN)/python -m benchmarks.run

bench-e2e: setup ## the whole way, from the MLLP port to records, on PostgreSQL and Kafka
	$(BIN)/python -m benchmarks.end_to_end.run

clean: ## remove what setup, up, demo and tests made
	@[ ! -e var/up/ports.json ] || $(BIN)/python -m deploy.local down
	rm -rf .venv var build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
