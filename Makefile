# Two commands do everything: `make demo` and `make test`. Both set up what they need.
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Some containers set it. Python then compiles at every start all that it imports: to collect the tests took 24 s instead of 9.
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

demo: setup  ## the whole pipeline on this machine; DEMO_SECONDS=20 ends it by itself
	@win-event-stack demo

test: setup tools  ## unit and integration tests: real broker, real Flink cluster
	@scripts/prepare-stack
	@python -m pytest -m "not nightly" --numprocesses 4 --no-loadscope-reorder --durations 10

test-nightly: setup tools  ## what takes minutes and seldom breaks: the build of the image, for example
	@python -m pytest -m nightly

test-fast: setup tools  ## unit tests only, under a minute: the first thing to run after a change
	@python -m pytest tests/unit -m "not nightly" --numprocesses 2

.PHONY: test-damage
test-damage: setup  ## what win-event-verify finds against what was done: 5,000 cases of each kind, a few minutes
	@WIN_EVENT_DAMAGE_EXAMPLES=5000 python -m pytest tests/unit/consumer/test_any_damage.py --timeout 1800

check: setup  ## formatting, lint, types, import contracts
	@ruff format --check --quiet . && ruff check --quiet .
	@mypy --no-error-summary
	@lint-imports --no-cache --no-logo

up: setup  ## start the broker and the Flink cluster
	@win-event-stack up

down: setup  ## stop them
	@win-event-stack down

compose-up:  ## the same as containers: passwords, images, everything
	@scripts/compose-secrets
	@docker compose up --detach --build

compose-down:  ## stop the containers; the data stays (docker compose down -v forgets it)
	@docker compose down

.PHONY: pictures
pictures: setup tools  ## take the screenshots in docs/pictures again, from a running pipeline; six minutes
	@python scripts/make-pictures.py

faults: setup  ## break it in every way and audit; ROWS=a,b MODES=auto select; writes docs/RELIABILITY.md
	@PYTHONPATH=tests python -m faults

soak: setup  ## random faults for HOURS=n (fractions too), a line a minute; SEED=n repeats one
	@PYTHONPATH=tests python -m faults.soak

soak-reader: setup  ## one reader of the bridge, 20 million small blocks, its counters at rest; BLOCKS=n
	@PYTHONPATH=tests python -m faults.reader_soak

bench: setup  ## measure, write docs/PERFORMANCE.md; QUICK=1 takes under 3 minutes, ONLY=a,b selects
	@PYTHONPATH=tests python -m bench

.PHONY: load
load: setup  ## RATE=10000 SECONDS=60: load the running stack, or one of its own (OWN=1), and judge what was promised
	@PYTHONPATH=tests python -m bench.load

.PHONY: profile
profile: setup  ## where the processor time of the bridge goes, by layer (async-profiler); four minutes
	@PYTHONPATH=tests python -m bench.bridge.profile

bench-detection: setup  ## of these the rules alone, by their number; rsigma beside them where it is on the PATH; QUICK=1
	@PYTHONPATH=tests python -m bench --only detection

bench-bridge: setup  ## of these the bridge alone, beside raw pass-through, Java, plain Python, nc; QUICK=1
	@PYTHONPATH=tests python -m bench --only comparison,options,event-size,latency

COMPILE = uv pip compile --quiet --universal --generate-hashes --python-version 3.10 --no-emit-package win-event-bridge

lock:  ## renew the locks from pyproject.toml; those of the images are slices of the whole one
	$(COMPILE) --all-extras pyproject.toml -o requirements.lock
	$(COMPILE) --extra bridge --extra detect -c requirements.lock pyproject.toml -o flink_bridge/requirements.lock
	$(COMPILE) --extra kinesis --extra cache --extra detect -c requirements.lock pyproject.toml deploy/tools/build.in -o deploy/tools/requirements.lock
