# The commands of this repository; `make` alone lists them. Python >= 3.11 and make are enough for run and test.
# The newest of these that can make an environment: a name on PATH need not run (a shim of pyenv).
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11,$(if $(shell $(p) -c "import venv, ensurepip" 2>/dev/null && echo y),$(p))) python3)
PYTHON39 ?= $(firstword $(foreach p,python3.9 $(wildcard $(shell pyenv root 2>/dev/null)/versions/3.9.*/bin/python),$(if $(shell $(p) -c "import venv, ensurepip" 2>/dev/null && echo y),$(p))) python3.9)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq install
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --custom-compile-command "make lock"
COMPOSE := $(shell command -v docker-compose >/dev/null 2>&1 && echo docker-compose || echo docker compose)
RELEASED := $(shell git describe --tags --abbrev=0 2>/dev/null || echo HEAD)
AGAINST ?= $(RELEASED)
# What needs more than Python has targets of its own.
APART := --ignore=tests/clients --ignore=tests/docker --ignore=tests/compliance --ignore=tests/faults --ignore=tests/packages
# As many processes as there are cores, four at most: ARGS="-n 0" runs the tests in one.
PARALLEL := --numprocesses=auto --maxprocesses=4
ARGS ?=
EDGES ?= 1
ROW ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-oldest test-client-oldest test-packages test-clients test-docker test-compliance test-faults test-all coverage bench bench-field soak churn up down lint types proto proto-check breaking \
  certs docs lock clean

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  Options: ARGS="..." is passed on to the command, PYTHON=python3.12 chooses the Python, VENV=dir the environment.'

# The environment: the first stamp is enough to run the product, the second to work on it.

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "make: Python 3.11 or newer is needed and '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true); name one: make PYTHON=python3.12" >&2; \
	  exit 2; }
	@echo "Creating the virtual environment $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runs: $(VENV)/.created pyproject.toml requirements/build.txt requirements/cli.txt
	@echo "Installing what the services need into $(VENV) (once; about half a minute)"
	@$(PIP) --require-hashes -r requirements/build.txt
	@$(PIP) --require-hashes -r requirements/cli.txt
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.ready: $(VENV)/.runs requirements/dev.txt
	@echo "Installing what tests and checks need into $(VENV) (once; about a minute)"
	@$(PIP) --no-build-isolation --require-hashes -r requirements/dev.txt
	@touch $@

setup: $(VENV)/.ready ## make the virtual environment .venv, everything pinned

run: $(VENV)/.runs ## start edge and router on this machine (sets up on first use); Ctrl-C drains
	@exec $(BIN)/maim serve $(ARGS)

test: $(VENV)/.ready ## run every test that needs nothing but Python
	$(BIN)/python -m pytest tests $(APART) $(PARALLEL) $(ARGS)

test-packages: $(VENV)/.ready ## install the wheel with and without extras into empty environments (needs the package index)
	$(BIN)/python -m pytest tests/packages $(ARGS)

test-clients: $(VENV)/.ready ## run the tests with Node, Go, Java, Chromium and the released PyPI client
	$(BIN)/python -m pytest tests/clients $(ARGS)

test-docker: $(VENV)/.ready ## run the tests of the images and docker-compose.yml
	$(BIN)/python -m pytest tests/docker $(ARGS)

test-compliance: $(VENV)/.ready ## run the Autobahn suite of WebSocket cases (needs Python 2.7), reports in build/compliance
	$(BIN)/python -m pytest tests/compliance $(ARGS)

test-faults: $(VENV)/.ready ## break processes and links at random and look for losses (ARGS="--schedules 20"; MAIM_FAULTS_SEED=N: that one again)
	$(BIN)/python -m pytest tests/faults $(ARGS)

# The client runs on older Pythons than the rest, and without it: from the sources, beside what a bot installs.
CLIENT_TESTS := tests/sdk tests/protocol/message tests/protocol/test_envelope.py tests/protocol/test_backoff.py tests/protocol/test_close_codes.py

$(VENV)-client/.ready: requirements/client_oldest.txt
	@echo "Installing what the client's tests need into $(VENV)-client (once)"
	@$(PYTHON39) -m venv $(VENV)-client
	@$(VENV)-client/bin/python -m pip --disable-pip-version-check -qq install --require-hashes -r requirements/client_oldest.txt
	@touch $@

test-client-oldest: $(VENV)-client/.ready ## run the client's tests on Python 3.9 (PYTHON39=python3.9)
	@# asyncio's TLS transports of before Python 3.11 warn when they are collected.
	PYTHONPATH=client_sdk:proto $(VENV)-client/bin/python -m pytest $(CLIENT_TESTS) -W ignore::pytest.PytestUnraisableExceptionWarning $(ARGS)

$(VENV)-oldest/.ready: requirements/build.txt requirements/oldest.txt pyproject.toml
	@echo "Installing the oldest versions that the product takes into $(VENV)-oldest (once)"
	@$(PYTHON) -m venv $(VENV)-oldest
	@$(VENV)-oldest/bin/python -m pip --disable-pip-version-check -qq install --require-hashes -r requirements/build.txt
	@$(VENV)-oldest/bin/python -m pip --disable-pip-version-check -qq install --no-build-isolation --require-hashes -r requirements/oldest.txt
	@$(VENV)-oldest/bin/python -m pip --disable-pip-version-check -qq install --no-build-isolation --no-deps --editable .
	@touch $@

test-oldest: $(VENV)-oldest/.ready ## run `make test` with the oldest versions that pyproject.toml allows
	$(VENV)-oldest/bin/python -m pytest tests $(APART) --ignore=tests/repository --ignore=tests/protocol/test_generated_code.py $(PARALLEL) $(ARGS)

test-all: test test-packages test-clients test-docker test-compliance test-faults ## run every test

coverage: $(VENV)/.ready ## run `make test` measured, and show the lines and branches no test reaches
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest tests $(APART) $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

# The images' Python; an older one where no registry is reached and the machine has only that one's image.
IMAGE_PYTHON ?= $(if $(shell docker image inspect python:3.13-slim >/dev/null 2>&1 || docker image inspect python:3.12-slim 2>/dev/null | head -c 1),3.12,3.13)

up: ## build and start edge and router in docker (EDGES=2: two edges, on ports from 18040)
	IMAGE_PYTHON=$(IMAGE_PYTHON) $(if $(filter-out 1,$(EDGES)),EDGE_PORT=$${EDGE_PORT:-18040-18049} )$(COMPOSE) up --build --detach --scale edge=$(EDGES) $(ARGS)

down: ## stop and remove what `make up` started
	$(COMPOSE) down $(ARGS)

$(VENV)/.benches: $(VENV)/.runs requirements/bench.txt
	@echo "Installing what the benchmarks need into $(VENV) (once)"
	@$(PIP) --require-hashes -r requirements/bench.txt
	@touch $@

bench: $(VENV)/.benches ## measure against the library this replaces, and print the table (ROW=routed16: one row)
	@$(BIN)/python -m benchmarks $(ROW) $(ARGS)

soak: $(VENV)/.benches ## ten minutes under load: whether memory stays flat (ARGS="--minutes 2 --rate 5000")
	@$(BIN)/python -m benchmarks.soak $(ARGS)

churn: $(VENV)/.benches ## 50,000 connections come and go: whether memory and descriptors come back
	@$(BIN)/python -m benchmarks.churn $(ARGS)

bench-field: $(VENV)/.benches ## install python-socketio, nchan and nats-server, which `make bench` measures too
	@$(BIN)/python -m benchmarks.field

lint: $(VENV)/.ready ## check style, format, import rules, spelling, protos and file sizes
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	PYTHONPATH=. $(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	$(BIN)/buf lint
	$(BIN)/python -m pytest --quiet tests/repository

types: $(VENV)/.ready ## check types (mypy --strict)
	$(BIN)/mypy

$(VENV)-proto/.ready: requirements/build.txt requirements/proto.txt
	@echo "Installing the generator of the protocol's code into $(VENV)-proto (once)"
	@$(PYTHON) -m venv $(VENV)-proto
	@$(VENV)-proto/bin/python -m pip --disable-pip-version-check -qq install --require-hashes -r requirements/proto.txt
	@touch $@

proto: $(VENV)-proto/.ready ## generate the Python code of proto/maim_protocol/v1/*.proto
	$(VENV)-proto/bin/python proto/generate.py

proto-check: $(VENV)-proto/.ready breaking ## check that the generated code is current and the contract unbroken
	$(VENV)-proto/bin/python proto/generate.py --check

breaking: $(VENV)/.ready ## compare the contract with AGAINST (the newest release, else the last commit)
	@if git ls-tree -r --name-only $(AGAINST) 2>/dev/null | grep -q '\.proto$$'; \
	  then set -x; $(BIN)/buf breaking --against '.git#ref=$(AGAINST)'; \
	  else echo "No contract at $(AGAINST) yet: nothing can break."; fi

certs: $(VENV)/.runs ## make development certificates in deploy/certs
	$(BIN)/maim certs deploy/certs $(ARGS)

docs: $(VENV)/.ready ## check the links and the commands that README and docs name
	$(BIN)/python -m pytest tests/repository/test_docs.py tests/docs $(ARGS)

lock: $(VENV)/.ready ## pin requirements/*.txt anew (ARGS=--upgrade for the newest of everything)
	$(LOCK) $(ARGS) requirements/build.in --output-file requirements/build.txt
	$(LOCK) $(ARGS) pyproject.toml --extra server --output-file requirements/base.txt
	$(LOCK) $(ARGS) pyproject.toml --extra cli --constraints requirements/base.txt --output-file requirements/cli.txt
	$(LOCK) $(ARGS) pyproject.toml --extra cli requirements/dev.in --output-file requirements/dev.txt
	$(LOCK) $(ARGS) requirements/proto.in --output-file requirements/proto.txt
	$(LOCK) --resolution lowest-direct --constraints requirements/oldest.in $(ARGS) pyproject.toml --extra cli requirements/tests.in \
	  --output-file requirements/oldest.txt
	$(subst 3.11,3.9,$(LOCK)) $(ARGS) pyproject.toml requirements/client_tests.in --output-file requirements/client_oldest.txt
	$(LOCK) $(ARGS) requirements/client.in --output-file requirements/client.txt
	$(LOCK) $(ARGS) requirements/released_client.in --output-file requirements/released_client.txt
	$(LOCK) $(ARGS) requirements/bench.in --output-file requirements/bench.txt
	$(LOCK) $(ARGS) requirements/field.in --output-file requirements/field.txt

clean: ## remove the virtual environment, caches and reports
	rm -rf $(VENV) $(VENV)-proto $(VENV)-oldest $(VENV)-client build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find proto edge router client_sdk tests examples benchmarks -name __pycache__ -prune -exec rm -rf {} +
