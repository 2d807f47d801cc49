# `make demo` and `make test` are all a newcomer needs; `make help` lists the rest.
# Both work in a virtual environment of their own (VENV); uv is used where it is installed, pip where not.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv 2>/dev/null)

ifneq ($(UV),)
INSTALL = $(UV) pip install --quiet --python $(BIN)/python
else
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

TEST_EXTRAS = dev,maps,analysis,peers,postgres
PYTEST     ?= $(BIN)/python -m pytest
TESTS      ?= tests
WORKERS    ?= 2

# Services and commands that tests start would compile all Python sources anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help demo test test-min test-interpreted lint docs bench baseline prove clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.slim ## replay the bundled lunch peak and write its report (installs on first use)
	@$(BIN)/halfhour demo

test: $(VENV)/.full ## install what the tests need and run the whole suite, on WORKERS cores
	@$(BIN)/python -m tests.kit.warm
	$(PYTEST) -n $(WORKERS) $(TESTS)

test-min: $(VENV)-min/.full ## the suite on the oldest dependencies that pyproject.toml allows (needs uv)
	$(VENV)-min/bin/python -m pytest -n $(WORKERS) $(TESTS)

test-interpreted: $(VENV)/.full ## what the kernels do, as plain Python: the tests of routing without compiled code
	NUMBA_DISABLE_JIT=1 $(PYTEST) tests/routing

lint: $(VENV)/.full ## style, spelling, types, workflows
	$(BIN)/ruff check .
	$(BIN)/codespell
	$(BIN)/zizmor --quiet --offline .github
	$(BIN)/mypy
	@$(BIN)/python -m benchmarks.lengths

docs: $(VENV)/.docs ## the documents as a site, in build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet
	@echo "build/site/index.html"

bench: $(VENV)/.full ## the quick benchmarks, compared with the committed baseline
	$(BIN)/python -m benchmarks --suite quick --compare benchmarks/baseline.json

baseline: $(VENV)/.full ## record the quick benchmarks as the new baseline, where work or results changed on purpose
	$(BIN)/python -m benchmarks --suite quick --repeats 1 --update benchmarks/baseline.json

prove: $(VENV)/.full ## what takes longer than the gate, lane by lane; results go to benchmarks/results/
	$(BIN)/python -m benchmarks.prove $(LANES)

clean: ## remove the virtual environments
	rm -rf $(VENV) $(VENV)-min

# The stamps are younger than pyproject.toml while the environment holds what it names.
$(VENV)/.slim: pyproject.toml | $(BIN)/python
	@echo "Installing Halfhour into $(VENV) ..."
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.full: pyproject.toml | $(BIN)/python
	@echo "Installing Halfhour and what its tests need into $(VENV) ..."
	@$(INSTALL) --editable '.[$(TEST_EXTRAS)]'
	@touch $@ $(VENV)/.slim

$(VENV)/.docs: pyproject.toml | $(BIN)/python
	@echo "Installing Halfhour and what its documents need into $(VENV) ..."
	@$(INSTALL) --editable '.[docs]'
	@touch $@ $(VENV)/.slim

$(VENV)-min/.full: pyproject.toml
	@test -n "$(UV)" || { echo "make test-min needs uv (pip install uv): only it resolves lower bounds."; exit 1; }
	@$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)-min
	@$(UV) pip install --quiet --python $(VENV)-min/bin/python --resolution lowest-direct --editable '.[$(TEST_EXTRAS)]'
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null || { \
	  echo "Halfhour needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
ifneq ($(UV),)
	@$(UV) venv --quiet --clear --python $(PYTHON) $(VENV)
else
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "This Python came without venv. On Debian and Ubuntu: apt-get install python$$version-venv"; \
	  echo "(anywhere: install uv, which needs none), then run make $(MAKECMDGOALS) again."; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
endif
