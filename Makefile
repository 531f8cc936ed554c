PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .run/installed
CODE := hypervisor xenprof exporters dashboards tests
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
TESTS := $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder --benchmark-disable
PATH_LINE := export PATH="$(CURDIR)/$(BIN):$$PATH"

# Programs that are started many times are not compiled to bytecode each time, whoever asked for that.
unexport PYTHONDONTWRITEBYTECODE

# What the service advises, as it is typed here.
IN_WORDS_OF_MAKE = 's/choose another with --web.listen-address/choose another with make up LISTEN=HOST:PORT/; \
  s/stop it first with: xenprof stop/type make down first/; \
  s/--profile, --active, --history/PROFILE/; s/--scenario/SCENARIO/; s/--web.listen-address/LISTEN/'

.PHONY: help up observe down shell test test-xen soak check compiled wheels bench validate charts golden fmt clean peers

help:  # this list
	@awk -F ':.*  # ' '/^[a-z]+:.*  # / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

up: $(INSTALLED)  # install if needed, start the service in the background (LISTEN=HOST:PORT, SCENARIO=NAME, PROFILE=EVENT:COUNT), print its address
	@$(BIN)/xenprof serve --background --log-file .run/serve.log $(if $(LISTEN),--web.listen-address $(LISTEN)) $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(PROFILE),$(PROFILE:%=--profile %) --active all --history 10s) 2>.run/up.said; \
	  ended=$$?; sed $(IN_WORDS_OF_MAKE) .run/up.said >&2; exit $$ended
	@$(BIN)/xenprof --version | sed -n 's/^engine: pure (\(.* has changed .*\))/make: the model runs as Python: \1; type make compiled/p'
	@echo 'To have the programs at hand:  $(PATH_LINE)'

# Settings, such as OBSERVE_PROMETHEUS_PORT=9091, are listed in docs/serving.md.
observe: $(INSTALLED)  # start Prometheus with the alerts, and Alertmanager, on the running service
	@$(call INSTALL,$(OBSERVERS)) || true
	@$(BIN)/python -m dashboards.observe up

down:  # stop the service, and what observes it; everything sampled is written first
	@test ! -x $(BIN)/python || $(BIN)/python -m dashboards.observe down || true
	@test ! -x $(BIN)/xenprof || $(BIN)/xenprof stop || true

shell: $(INSTALLED)  # open a shell with the programs on PATH
	@$(PATH_LINE); "$${SHELL:-/bin/sh}" || true

# Programs that tests start are compiled, if they can be; the tests' own process measures coverage,
# which sees Python alone, of all but the model. Tests of what the model promises simulate minutes of
# a host: they are run at the end, compiled if it can be. Unit tests wait for sockets and processes,
# end-to-end tests for services that run in real time, so it takes three and four of them to keep two
# processors busy.
test: $(INSTALLED)  # everything: check, then all tests, also against real peers, with a coverage floor
	@$(MAKE) --no-print-directory -j2 peers check
	@$(TESTS) -n 3 --engine pure --cov --cov-report= --cov-fail-under=0 --ignore tests/e2e --ignore tests/model
	@$(TESTS) -n 4 --engine pure --cov --cov-report= --cov-append --cov-fail-under=0 tests/e2e
	@$(TESTS) -n 2 --cov --cov-report= --cov-append tests/model tests/contract tests/golden/compiled

check: $(INSTALLED) compiled  # format, lint, types, who may import whom, and what can be compiled
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(CODE)
	@$(BIN)/lint-imports

compiled: $(INSTALLED)  # compile the model again after its sources have changed; needs a C compiler
	@$(BIN)/python -m hypervisor.compiled.build

.PHONY: agent
agent: $(INSTALLED)  # build the agent for domain 0 of a real Xen, one file, into dist/
	@$(BIN)/python -m hypervisor.live.packing dist/xenprof-agent.pyz

wheels: $(INSTALLED)  # build the pure wheel, and with a C compiler that of this machine, into dist/
	@XENPROF_PURE=1 $(BIN)/python -m hatchling build -t wheel -d dist
	@$(BIN)/python -m hatchling build -t wheel -d dist

soak: $(INSTALLED)  # attack the service and the programs for minutes, which make test does for seconds
	@$(BIN)/python -m tests.soak

test-xen: $(INSTALLED)  # boot a real Xen in an emulator and test on it; root, Debian 12, 2 GB, some minutes
	@$(BIN)/python -m pytest --benchmark-disable -p no:xdist tests/realxen

bench: $(INSTALLED) compiled  # speed and size beside the peers
	@$(BIN)/python -m tests.bench

validate: $(INSTALLED) compiled  # compare the model with published measurements anew; writes docs/validation.md, a minute
	@$(BIN)/python -m xenprof.validate.document docs/validation.md

charts: $(INSTALLED) compiled  # draw the charts of the talk anew; writes docs/experiments, some minutes
	@$(BIN)/python -m xenprof.experiment.document docs/experiments .run/charts

golden: $(INSTALLED) compiled  # write the expected outputs and those in the documents anew; look at the diff
	@$(BIN)/python -m pytest tests/golden tests/e2e/test_docs_commands.py --update-golden

.PHONY: dashboards
dashboards: $(INSTALLED)  # write dashboards, rules and runbooks anew (RUNBOOKS=URL: where the runbooks are served)
	@$(BIN)/python -m dashboards.build $(if $(RUNBOOKS),--runbooks '$(RUNBOOKS)')
	@$(BIN)/python -m dashboards.rules $(if $(RUNBOOKS),--runbooks '$(RUNBOOKS)')

fmt: $(INSTALLED)  # format the code and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

clean: down  # remove what the other verbs made
	@rm -rf .venv .run build dist hypervisor/compiled/built hypervisor/compiled/.built-* .mypy_cache .ruff_cache .import_linter_cache .hypothesis .benchmarks
	@find $(CODE) -name __pycache__ -prune -exec rm -rf {} +

# grafana-dashboard-builder is installed without its dependency, a Kerberos client that is compiled
# from C and that only its upload command needs.
$(INSTALLED): pyproject.toml constraints.txt
	@echo 'make: installing into .venv, which takes about a minute'
	@mkdir -p .run
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) -c constraints.txt 'mypy[mypyc]' numpy
	@$(BIN)/python -m hypervisor.compiled.build >.run/compiled.log 2>&1 & compiling=$$!; \
	  XENPROF_PURE=1 $(PIP) -c constraints.txt -e '.[dev]' && $(PIP) --no-deps grafana-dashboard-builder==0.10.0a3; installed=$$?; \
	  wait $$compiling && { grep '^make:' .run/compiled.log || $(BIN)/xenprof --version | sed -n 's/^engine: compiled.*/make: the model is compiled/p'; } || echo 'make: the model could not be compiled, see .run/compiled.log; it runs as Python'; \
	  exit $$installed
	@touch $@

# Installs those of Debian's programs that are missing, as root; each is named as its package.
INSTALL = for one in $(1); do command -v $$one >/dev/null || missing="$$missing $$one"; done; \
	  test -z "$$missing" || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  && export DEBIAN_FRONTEND=noninteractive && apt-get update -qq >/dev/null 2>&1 \
	  && apt-get install -qq -y --no-install-recommends $$missing >/dev/null 2>&1; }

# Other programs that the tests compare xenprof with; if one is missing, its tests are skipped.
OBSERVERS := prometheus prometheus-alertmanager
PEERS := $(OBSERVERS) chromium
NPM_PEERS := pprof-format@2.3.2 speedscope@1.25.0 @grafana/schema@13.2.3 typescript@7.0.2
peers:
	@$(call INSTALL,$(PEERS)) || echo "make: could not install$$missing; their tests are skipped"
	@test -d .run/peers/node_modules/@grafana/schema || ! command -v npm >/dev/null \
	  || timeout 180 npm install --silent --prefix .run/peers $(NPM_PEERS) >/dev/null 2>&1 \
	  || echo 'make: could not install $(NPM_PEERS); their tests are skipped'
