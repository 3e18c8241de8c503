# One Number Access (一号通行). `make help` lists what can be done; `make demo` and `make test` need nothing but Python 3.11.

PYTHON ?=
PORT   ?= 8000
DATA   ?= demo-data
ARGS   ?=

VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
LOCK := $(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links

TRANSLATIONS := $(wildcard idservice/translations/*/LC_MESSAGES/*.po)

# Stamps: an empty file says that a step was done for the lock file as it is now, so that a second run is instant.
ENVIRONMENT := $(VENV)/.environment
RUNTIME     := $(VENV)/.runtime
TOOLS       := $(VENV)/.tools
PAGES       := $(VENV)/.pages
PEERS       := $(VENV)/.peers
LANGUAGES   := $(VENV)/.languages

.DEFAULT_GOAL := help
.PHONY: help dev demo test lint fix bench soak docs lock clean
# The stamps share one virtual environment, and pip does not like company.
.NOTPARALLEL:

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: $(TOOLS) $(PAGES) $(PEERS) $(LANGUAGES) ## 安装开发环境 set up .venv with everything the demo and the tests need

demo: $(RUNTIME) $(PAGES) $(LANGUAGES) ## 启动演示城市 start the demo city (PORT=8000 DATA=demo-data), until Ctrl-C
	@exec $(BIN)/flask --app wsgi demo --port $(PORT) --data $(DATA) $(ARGS)

# Some hundred processes of ours are started, each of which would compile what it imports where no bytecode is kept.
# Files are run in the order of their names: browser and functional, which are long, before the many short ones of unit.
# By the number of their tests, as is usual, the longest files (few tests, many processes) would come last.
test: dev ## 运行全部测试 run the whole test suite (ARGS="-k seals" for a part)
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not soak" $(ARGS)

lint: dev ## 检查代码 check style, types and the order of the rooms; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: dev ## 自动修正 mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: dev ## 性能基准 measure speed, write benchmarks/results.json
	$(BIN)/python -m benchmarks $(ARGS)

soak: dev ## 长时间测试 run the long tests
	$(BIN)/python -m pytest -m soak --timeout 0 $(ARGS)

docs: dev ## 生成接口文档 write docs/openapi.json from the code
	@folder=$$(mktemp -d) && export ONA_KEYS_DIR=$$folder ONA_INSECURE_LOOPBACK=1 ONA_DATABASE_URL=sqlite:// && \
	$(BIN)/flask --app wsgi keys new >/dev/null 2>&1 && $(BIN)/flask --app wsgi openapi write docs/openapi.json; \
	status=$$?; rm -rf "$$folder"; exit $$status

lock: dev ## 更新依赖锁 lock the dependencies again (ARGS=--upgrade for newer versions); run it on Python 3.11
	cd requirements && for set in base dev node; do ../$(LOCK) $(ARGS) --output-file=$$set.txt $$set.in || exit 1; done
	npm install --package-lock-only
	cd tests/peers && npm install --package-lock-only

clean: ## 清理 remove what the set-up made; demo data and keys stay
	rm -rf $(VENV) node_modules tests/peers/node_modules idservice/static/vendor seals/fonts .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find idservice/translations -name '*.mo' -delete 2>/dev/null || true
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first Python that is new enough, unless PYTHON names one.
$(ENVIRONMENT):
	@for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo "Setting up $(VENV) with $$("$$python" --version) ..."; \
	        "$$python" -m venv $(VENV) && touch $@ && exit 0; \
	        echo "需要 venv 模块 Python's venv module is needed (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; \
	    fi; \
	done; \
	echo "需要 Python 3.11 或更新版本 Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..." >&2; exit 1

$(RUNTIME): requirements/base.txt | $(ENVIRONMENT)
	@echo "Installing what the service needs ..."
	@$(PIP) -r $<
	@touch $@

$(TOOLS): requirements/dev.txt requirements/base.txt | $(ENVIRONMENT)
	@echo "Installing what the service, its tests and its linters need ..."
	@$(PIP) -r $<
	@touch $@ $(RUNTIME)

$(PAGES): package.json package-lock.json .npmrc deploy/vendor.py requirements/node.txt | $(ENVIRONMENT)
	@echo "Installing the front-end packages and fonts ..."
	@$(BIN)/python deploy/vendor.py
	@touch $@

$(PEERS): tests/peers/package.json tests/peers/package-lock.json tests/peers/.npmrc deploy/vendor.py requirements/node.txt | $(ENVIRONMENT)
	@echo "Installing the implementations of others that the tests ask ..."
	@$(BIN)/python deploy/vendor.py tests/peers
	@touch $@

# Babel comes with the run-time packages; order-only, because a new lock does not change a translation.
$(LANGUAGES): $(TRANSLATIONS) | $(RUNTIME)
	@if [ -n "$(TRANSLATIONS)" ]; then $(BIN)/pybabel --quiet compile -d idservice/translations; fi
	@touch $@
