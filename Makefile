# Each target makes .venv first where it needs one, so `make demo` works in a fresh clone.

.DEFAULT_GOAL := help
STAMP := .venv/.installed
# Programs of .venv come first, also for those that start others (mpiexec in tests).
RUN := PATH="$(CURDIR)/.venv/bin:$$PATH"

.PHONY: help install demo test lint style types pytest verify lock image clean

help:            ## this list
	@sed -n 's/^\([a-z]*\): .*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

install: $(STAMP) ## .venv from requirements.lock (PYTHON=... chooses the interpreter)

$(STAMP): requirements.lock pyproject.toml scripts/install.sh
	@scripts/install.sh

# A moved folder or a removed Python leaves a stamp that is new but a .venv that cannot run.
ifneq ($(shell .venv/bin/python -c 'print(open("$(STAMP)").read().strip())' 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif

demo: $(STAMP)   ## reproduce Fig. 2b of Gou 2025
	@$(RUN) .venv/bin/python workflows/gou2025/fig2b.py

test: style      ## ruff, then mypy beside all tests
	@$(MAKE) --no-print-directory -j 2 types pytest

lint: style types ## ruff and mypy

style: $(STAMP)
	@echo "== ruff"
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .

types: $(STAMP)
	@echo "== mypy"
	@$(RUN) mypy

pytest: $(STAMP)
	@echo "== pytest"
	@$(RUN) pytest -n auto --dist worksteal

verify: $(STAMP) ## compare with exact solutions
	@$(RUN) fem-spe verify

lock:            ## renew requirements.lock from pyproject.toml (LOCKFLAGS=--upgrade: newest)
	@scripts/lock.sh $(LOCKFLAGS)

image:           ## container image fem-spe, with docker or podman (IMAGEFLAGS=... for its build)
	@scripts/image.sh $(IMAGEFLAGS)

clean:           ## remove .venv and caches; results stay
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build *.egg-info
