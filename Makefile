# Each target calls one command; what a command does stands in its --help.
MODELS  ?=
OUT     ?= out
CATALOG ?= $(OUT)/catalog.jsonl
POSES   ?= 64
SEED    ?= 0
WORKERS ?= 0
SIZE    ?= 256
SHADING ?= mixed
AMBIENT ?=
ORIGINS ?=
SCHEDULER ?=
DATA    ?=
RUN     ?= run
PRESET  ?= paper
OPTIONS ?=
SECONDS ?= 3600
CORPUS  ?= .fuzz

BIN := .venv/bin

# What is compiled once is kept: without that every process of a test compiles all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup setup-render setup-test demo test scan review render train-all evaluate pretrained gallery doctor bench gpu-check soak fuzz clean \
        run-mypy run-pytest

help:
	@echo "make demo                      the whole main job on generated characters, into demo/"
	@echo "make test                      set up, then run all checks and tests"
	@echo "make scan MODELS=dir           what is in a folder of models, into CATALOG ($(CATALOG))"
	@echo "make review                    look at what was scanned, and correct it, on a local page"
	@echo "make render MODELS=dir         scan, split by source, and draw shards into OUT ($(OUT))"
	@echo "     options: OUT CATALOG POSES (per model) SEED WORKERS (0: one a core) SIZE SHADING AMBIENT"
	@echo "              ORIGINS=1 (keep where pixels came from, too: what PRESET=live learns from)"
	@echo "              SCHEDULER (tcp://host:port: on the workers of a dask cluster)"
	@echo "make train-all DATA=out        train what is missing on shards, into RUN ($(RUN)); PRESET"
	@echo "make evaluate DATA=out         measure RUN's bundle on the test part"
	@echo "make pretrained                train the weights that come with the program anew: hours"
	@echo "make gallery                   draw the characters of animate serve's page anew"
	@echo "make doctor                    which OpenGL there is, and how to get one"
	@echo "make bench                     all benchmarks"
	@echo "make gpu-check                 on a machine with a graphics card: all that needs one; OPTIONS"
	@echo "make soak                      twenty minutes of kills, Ctrl-C, full disks, several at once"
	@echo "make fuzz                      wrong inputs, for SECONDS ($(SECONDS)); CORPUS is gone on with"
	@echo "make setup                     only what rendering, training and animating need, into .venv"
	@echo "make clean                     remove .venv and caches"

setup:
	@./setup.sh

setup-test:
	@./setup.sh test

setup-render:
	@./setup.sh render

demo: setup
	$(BIN)/python demo.py

test: setup-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@$(MAKE) --no-print-directory -j2 run-mypy run-pytest

# Beside one another: tests wait for browsers, processes and clocks half of the time.
run-mypy:
	$(BIN)/mypy

run-pytest:
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

scan: setup-render
	$(BIN)/dataset scan "$(MODELS)" -o "$(CATALOG)" --sheet "$(OUT)/heads.png" --workers $(WORKERS) \
	    $(if $(SCHEDULER),--scheduler $(SCHEDULER))

review: setup
	$(BIN)/dataset review "$(CATALOG)"

render: scan
	$(BIN)/dataset split "$(CATALOG)" -o "$(OUT)/split.json" --poses $(POSES) --if-possible
	$(BIN)/dataset build "$(CATALOG)" -o "$(OUT)" --poses $(POSES) --seed $(SEED) \
	    --workers $(WORKERS) --size $(SIZE) --shading $(SHADING) $(if $(AMBIENT),--ambient $(AMBIENT)) \
	    $(if $(ORIGINS),--origins) $(if $(SCHEDULER),--scheduler $(SCHEDULER))

train-all: setup
	$(BIN)/train all "$(DATA)" -o "$(RUN)" --preset $(PRESET)

evaluate: setup
	$(BIN)/train evaluate "$(RUN)/bundle" --data "$(DATA)" -o "$(RUN)/evaluation"

pretrained: setup
	$(BIN)/python pretrained.py $(OPTIONS)

gallery: setup-render
	$(BIN)/python gallery.py

doctor: setup-render
	$(BIN)/renderer doctor

bench: setup-test
	worst=0; for benchmark in bench/bench_*.py bench/limit.py; do $(BIN)/python $$benchmark || worst=1; done; exit $$worst

gpu-check: setup-test
	$(BIN)/python bench/gpu_check.py $(OPTIONS)

soak: setup-test
	$(BIN)/python bench/soak.py 1200

fuzz: setup-test
	$(BIN)/python bench/fuzz.py $(SECONDS) $(CORPUS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
