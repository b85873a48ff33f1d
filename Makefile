# `make help` is the table of contents. Every target installs what it needs first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules --no-print-directory

bin := .venv/bin
# What `make check` looks at; the formatter and ruff look at everything.
workers ?= 2
lab_tests ?= tests/lab
# The tests that cover the core; tracing costs too much to trace the others as well.
pure := tests/core tests/workflows tests/contracts/test_shelves.py

.PHONY: help install demo run test check drills tempest bench soak docs clean
.PHONY: lab lab-test lab-shell lab-down

help:  ## show this list
	@printf 'Targets:\n'
	grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 18

install:  ## install what is missing (Debian packages, then Python packages in .venv)
	@scripts/install.sh

demo: install  ## run the main job with real OpenStack clients, on simulated hosts
	@$(bin)/python -m demo

run: install  ## leave the service up for your own commands (Ctrl-C ends it)
	@$(bin)/python -m demo --stay

test: install  ## every test that needs no privilege; the core must be covered wholly
	@rm -f .coverage .coverage.*
	$(bin)/pytest -q -n $(workers) --cov --cov-report= $(pure)
	$(bin)/coverage report --fail-under=100
	$(bin)/pytest -q -n $(workers) $(pure:%=--ignore=%) --durations=5

check: install  ## formatter, ruff, mypy, import contracts, size and layout tests
	@$(bin)/ruff format --check --quiet .
	$(bin)/ruff check --quiet .
	$(bin)/mypy
	$(bin)/lint-imports --no-cache
	$(bin)/pytest -q -p no:randomly tests/architecture

tempest: install  ## Tempest's compute tests of acceptance/include.txt (some minutes)
	@scripts/install_tempest.sh
	$(bin)/python -m acceptance

bench: install  ## benchmarks, each beside what it is measured against
	@$(bin)/python -m bench

drills: install  ## try the fault scenarios: survived / tried
	@SUNDOG_DRILLS=all $(bin)/pytest -q -n $(workers) -m drill tests/drills

lab: install  ## boot an emulated host with cards, VFs and NUMA cells; docs/lab.md
	@scripts/install_lab.sh
	$(bin)/python -m lab up

lab-test: install  ## the tests that need the lab host, most of an hour (lab_tests=FILE: some)
	@scripts/install_lab.sh
	$(bin)/python -m lab build
	SUNDOG_LAB=1 $(bin)/pytest -v -n 0 -p no:randomly --durations=0 $(lab_tests)

lab-shell: install  ## a root prompt in the lab host (Ctrl-] leaves)
	@$(bin)/python -m lab shell

lab-down: install  ## end the lab host; what was built stays
	@$(bin)/python -m lab down

soak: install  ## ten thousand creates, deletes and actions with faults; nothing may leak
	@SUNDOG_SOAK=14400 $(bin)/pytest -q -s -p no:randomly tests/drills/test_soak.py

docs: install  ## draw docs/lives.md and docs/picture.svg anew
	@$(bin)/python -m scripts.draw_docs

clean:  ## remove everything that these targets made
	@[ ! -x $(bin)/python ] || $(bin)/python -m lab down
	rm -rf .cache/lab .venv .state .coverage .coverage.* .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
