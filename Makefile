# `make demo` runs the pipeline, `make test` tests it. Both set up what they need.
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Some containers set this variable. Python then compiles all imported modules at every start: collecting tests took 24 s, not 9.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup tools demo test test-fast test-nightly check up down compose-up compose-down faults soak soak-reader bench \
  bench-bridge bench-detection lock

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:
	@scripts/setup-venv

tools:
	@scripts/get-prometheus
	@scripts/get-prometheus .tools/alertmanager prometheus-alertmanager
	@scripts/get-chromium

demo: setup  ## run the whole pipeline on this machine; DEMO_SECONDS=20 ends it after 20 s
	@win-event-stack demo

# What an event does not pass on its way from the producer into the topic and through the audit. `.ci/run` tests it, too.
REST = $(addprefix tests/integration/,analytics console deploy detection docs forward local_stack \
  kafka_setup/test_three_brokers.py)
PYTEST = python -m pytest -m "not nightly" --numprocesses 4 --no-loadscope-reorder --durations 10

test: servers  ## run all unit tests, and the pipeline and its audit with a real broker and a real Flink cluster
	@$(PYTEST) $(addprefix --ignore=,$(REST))

test-rest: servers  ## run all other tests: analytics, detection, console, forwarding, deployment, stack, documents
	@$(PYTEST) $(REST)

.PHONY: servers test-rest classes
servers: setup
	@$(MAKE) --no-print-directory --jobs 2 tools classes

classes:
	@scripts/prepare-stack

test-nightly: setup tools  ## run the tests that take minutes and seldom fail, such as the build of the image
	@python -m pytest -m nightly
	@WIN_EVENT_ALL_EXAMPLES=1 python -m pytest tests/unit -m "not nightly" --numprocesses 2

test-fast: setup  ## run the unit tests that start no program and do not wait; run this first after a change
	@python -m pytest tests/unit -m "not nightly and not programs" --numprocesses 2 -p no:schemathesis --durations 10

.PHONY: test-damage
test-damage: setup  ## damage records at random and compare with what win-event-verify reports: 5,000 cases of each kind
	@WIN_EVENT_DAMAGE_EXAMPLES=5000 python -m pytest tests/unit/consumer/test_any_damage.py --timeout 1800

check: setup  ## check formatting, lint, types, import contracts, and that every test can be imported
	@ruff format --check --quiet . && ruff check --quiet .
	@$(MAKE) --no-print-directory --jobs 2 --output-sync check-types check-imports

.PHONY: check-types check-imports
check-types:
	@mypy --no-error-summary

check-imports:
	@lint-imports --no-cache --no-logo
	@python -m pytest --collect-only --quiet --quiet >/dev/null || python -m pytest --collect-only --quiet

up: setup  ## start the broker and the Flink cluster
	@win-event-stack up

down: setup  ## stop the broker and the Flink cluster
	@win-event-stack down

compose-up:  ## start the pipeline in containers: makes passwords, builds images, starts everything
	@scripts/compose-secrets
	@docker compose up --detach --build

compose-down:  ## stop the containers; the data stays (docker compose down -v deletes it)
	@docker compose down

.PHONY: pictures
pictures: setup tools  ## take the screenshots in docs/pictures again, from a running pipeline; six minutes
	@python scripts/make-pictures.py

faults: setup  ## break the pipeline in every way, audit it, write docs/RELIABILITY.md; select with ROWS=a,b MODES=auto
	@PYTHONPATH=tests python -m faults

soak: setup  ## cause random faults for HOURS=n (may be a fraction), one line of output per minute; SEED=n repeats a run
	@PYTHONPATH=tests python -m faults.soak

soak-reader: setup  ## read 20 million small blocks with one reader of the bridge, and check its counters; BLOCKS=n
	@PYTHONPATH=tests python -m faults.reader_soak

bench: setup  ## measure everything, write docs/PERFORMANCE.md; QUICK=1 takes under 3 minutes, ONLY=a,b selects
	@PYTHONPATH=tests python -m bench

.PHONY: load
load: setup  ## load the running stack, or its own (OWN=1), and judge each promise; RATE=10000 SECONDS=60
	@PYTHONPATH=tests python -m bench.load

.PHONY: profile
profile: setup  ## show where the processor time of the bridge goes, by layer (async-profiler); 13 minutes
	@PYTHONPATH=tests python -m bench.bridge.profile

bench-detection: setup  ## measure detection only, by the number of rules; also rsigma, if it is on the PATH; QUICK=1
	@PYTHONPATH=tests python -m bench --only detection

bench-bridge: setup  ## measure the bridge only, compared with raw pass-through, Java, plain Python and nc; QUICK=1
	@PYTHONPATH=tests python -m bench --only comparison,options,headers,event-size,latency

COMPILE = uv pip compile --quiet --universal --generate-hashes --python-version 3.10 --no-emit-package win-event-bridge

lock:  ## write the lock files again from pyproject.toml; those of the images are parts of the whole one
	$(COMPILE) --all-extras pyproject.toml -o requirements.lock
	$(COMPILE) --extra bridge --extra detect -c requirements.lock pyproject.toml -o flink_bridge/requirements.lock
	$(COMPILE) --extra kinesis --extra cache --extra detect -c requirements.lock pyproject.toml deploy/tools/build.in -o deploy/tools/requirements.lock
