# opsai: make help lists the targets. Each sets up .venv by itself, once. PYTHON=… names the interpreter.
.DEFAULT_GOAL := help
.PHONY: help demo test check clients bench chaos evaluate transcripts invariants rules dashboards mcpb clean
SETUP := pyproject.toml constraints.txt scripts/setup
ifdef PYTHON
export PYTHON
endif
INCIDENTS ?= compose/incidents
ARGS ?=

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: .venv/.ready-run  ## lose a store on a recorded cluster, and see it found: no cluster, Docker or key needed
	@.venv/bin/opsai demo $(ARGS)

test: .venv/.ready-dev  ## everything: lint, types, import contracts, tests (ARGS go to pytest)
	@scripts/check $(ARGS)

check: .venv/.ready-dev  ## only what judges the code without running it
	@scripts/lint

clients: .venv/.ready-dev  ## fetch the real clients that `make test` then drives too: MCP's judges, Claude Code (500 MB)
	@scripts/clients

bench: .venv/.ready-dev  ## measure speeds and sizes, one table (ARGS="--clients 50", "--calls 10000", "--latency DIR", …)
	@.venv/bin/python -m bench $(ARGS)

chaos: .venv/.ready-run  ## break local clusters again and again, count what is found out (ARGS="--target processes --times 2")
	@.venv/bin/opsai chaos $(ARGS)

evaluate: .venv/.ready-run  ## grade the investigator over recordings with known causes (INCIDENTS=DIR)
	@.venv/bin/opsai evaluate $(INCIDENTS) $(ARGS)

transcripts: .venv/.ready-dev  ## write the transcripts of docs/ and the README anew, by running what they show
	@.venv/bin/python -m scripts.transcripts $(ARGS)

tools: .venv/.ready-dev  ## write docs/tools.md anew: what a model reads of each tool, and what one answers
	@.venv/bin/python -m scripts.tools

invariants: .venv/.ready-dev  ## write docs/invariants.md anew from the code
	@.venv/bin/python -m scripts.invariants

rules: .venv/.ready-dev  ## write the alert rules of compose/ anew from the invariants
	@.venv/bin/python -m scripts.rules

dashboards: .venv/.ready-dev  ## write Grafana's dashboards of compose/tikv anew from the named metrics
	@.venv/bin/python -m scripts.dashboards

mcpb: .venv/.ready-dev  ## pack the server for Claude Desktop: dist/opsai-VERSION.mcpb (docs/clients/claude-desktop.md)
	@.venv/bin/python -m scripts.mcpb $(ARGS)

clean:  ## remove .venv, .clients and what the tools cached
	rm -rf .venv .clients .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.ready-run: $(SETUP)
	@scripts/setup run

.venv/.ready-dev: $(SETUP)
	@scripts/setup dev
