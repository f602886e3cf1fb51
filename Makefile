# `make` sets up and runs the made-up school's nights; `make test` runs the tests; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := night
.PHONY: help setup night test lint check soak bench bench-formats bench-lists bench-pages bench-registers accept quality quality-bypass clean docs

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/.run: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	printf '#!/bin/sh\nPYTHONPATH="%s" exec "%s" -m pipeline "$$@"\n' "$(CURDIR)" "$(CURDIR)/$(BIN)/python" > $(BIN)/schoolgate
	chmod +x $(BIN)/schoolgate
	touch $@

.venv/.dev: requirements-dev.txt .venv/.run
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	touch $@

setup: .venv/.run  ## make .venv with the locked packages and the command .venv/bin/schoolgate

night: .venv/.run  ## the made-up school: write its logs, run its nights, tell what came of them
	@test -d sample_logs/made || $(BIN)/python sample_logs/generate.py --to sample_logs/made
	@$(BIN)/schoolgate nightly --today 2026-11-07 sample_logs/made

test: .venv/.dev  ## every test
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

lint: .venv/.dev  ## ruff, and mypy (strict on pipeline/)
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test  ## what a submission must pass

soak: .venv/.dev  ## kill random nights at random write steps (MINUTES=10)
	$(BIN)/python tests/soak.py --minutes $${MINUTES:-10}

bench: .venv/.dev  ## lines a second and memory against the bare parse (LINES=1000000)
	$(BIN)/python sample_logs/bench.py --lines $${LINES:-1000000}

bench-formats: .venv/.dev  ## lines a second of each reader against DuckDB's own reading (LINES=1000000)
	$(BIN)/python sample_logs/bench_formats.py --lines $${LINES:-1000000}

bench-lists: .venv/.dev  ## an import of NAMES made-up names, and a night of HOSTS hosts with them and without (5000000, 500000)
	$(BIN)/python sample_logs/bench_lists.py --names $${NAMES:-5000000} --hosts $${HOSTS:-500000}

bench-pages: .venv/.dev  ## seconds, memory and size of the termly and annual page on a year of a school of 1,500 pupils
	$(BIN)/python sample_logs/bench_pages.py

bench-registers: .venv/.dev  ## seconds to list, fold and verify ten years of a large school (500,000 entries)
	$(BIN)/python sample_logs/bench_registers.py

accept: .venv/.dev  ## make reports/sample/ anew, after looking at the difference (`python tests/sample_pages.py`)
	$(BIN)/python tests/sample_pages.py --accept

quality: .venv/.run  ## what is found, missed and wrongly named in labelled made-up weeks (SEED=7 WEEKS=1 VIS=both DIFF=medium JSON=FILE)
	$(BIN)/python -m sample_logs.quality --seed $${SEED:-7} --weeks $${WEEKS:-1} --visibility $${VIS:-both} \
	    --difficulty $${DIFF:-medium} $${JSON:+--json $$JSON}

quality-bypass: .venv/.dev  ## how well ways round the filter are told by their addresses (SEED=1)
	$(BIN)/python sample_logs/bypass_corpus.py --seed $${SEED:-1}

clean:  ## remove what the program wrote (not .venv)
	rm -rf var sample_logs/made

docs: .venv/.run  ## renew the commands, settings and tables in the README
	$(BIN)/python -m pipeline.handbook .
