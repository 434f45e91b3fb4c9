# What a newcomer types. Everything is installed into .venv and nothing else is touched.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo model test test-slurm docs check format lock clean

UV := uv==0.13.9
# The first Python that is new enough; `make setup PYTHON=/path/to/python` names one.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c '$(NEW_ENOUGH)' 2>/dev/null && command -v "$$p" && break; done)
BIN := .venv/bin
DEMO := outputs/demo

help:  ## explain the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /make \1\t/' | expand -t 14
	@echo
	@echo "make test SLOW=1 also runs the slow tests (real photos, several processes)."

setup: .venv/installed  ## make .venv with everything in it (6 GB, a minute or two)

.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "emotion: no Python 3.11 or newer found; install one, or name it: make setup PYTHON=/path/to/python3.12" >&2; exit 2; }
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' || { echo "emotion: $(PYTHON) is $$("$(PYTHON)" -V 2>&1), expected Python 3.11 or newer; name another: make setup PYTHON=/path/to/python3.12" >&2; exit 2; }
	@echo "installing into .venv with $$("$(PYTHON)" -V 2>&1) …"
	@"$(PYTHON)" -m venv .venv || { echo "emotion: $(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }
	@$(BIN)/python -m pip install -q --disable-pip-version-check $(UV) > .venv/setup.log 2>&1 \
		&& VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --compile-bytecode -r requirements.lock >> .venv/setup.log 2>&1 \
		&& VIRTUAL_ENV=$(CURDIR)/.venv $(BIN)/uv pip install --no-deps --no-build-isolation -e . >> .venv/setup.log 2>&1 \
		|| { echo "emotion: the packages could not be installed: $$(grep -m 1 -iE 'error|failed|×' .venv/setup.log); is there a network? All of it is in .venv/setup.log" >&2; exit 2; }
	@touch $@

demo: .venv/installed  ## train on drawn faces, evaluate, predict; ends with pictures to look at
	@rm -rf $(DEMO)
	@echo "== 1/5 draw a sample data set"
	@$(BIN)/emotion data sample $(DEMO)/data --images 650 --seed 0
	@echo "== 2/5 check it"
	@$(BIN)/emotion data check $(DEMO)/data --out $(DEMO)/check
	@echo "== 3/5 train a classifier on it"
	@$(BIN)/emotion train experiment=demo data.root=$(DEMO)/data hydra.run.dir=$(DEMO)/run
	@echo "== 4/5 evaluate it on the test part"
	@$(BIN)/emotion evaluate $(DEMO)/run --out $(DEMO)/evaluation
	@echo "== 5/5 predict the test photos"
	@$(BIN)/emotion predict $(DEMO)/data/test/img --model $(DEMO)/run --out $(DEMO)/predictions.jsonl --draw $(DEMO)/drawn
	@echo
	@echo "Look at:   $(DEMO)/check/check.html          what is in the data, and what is wrong with it"
	@echo "           $(DEMO)/run/curves.png            how training went, and which epoch was kept"
	@echo "           $(DEMO)/evaluation/report.html    how far to trust it"
	@echo "           $(DEMO)/drawn/                    the answers on the photos"
	@echo "Type next: source .venv/bin/activate"
	@echo "           tensorboard --logdir outputs"
	@echo "           emotion train -m experiment=demo data.root=$(DEMO)/data model.optimizer.lr=1e-3,2e-3,4e-3"
	@echo "           emotion train resume=$(DEMO)/run trainer.max_epochs=24"
	@echo "           emotion train experiment=faces data.root=/path/to/your/faces"
	@echo "           emotion predict /path/to/your/photos --model $(DEMO)/run   (it has seen drawings only)"

# The model in the box, from ../shared to the finished file; what is there already is not made again.
# With a GPU at 160 pixels, else at 96. See docs/model.md. `make model SETTINGS="seed=2"` sets more.
MODEL := outputs/model
SETTINGS :=
SHARED := ../shared
GPU = $(shell $(BIN)/python -c 'import torch; print(1 if torch.cuda.is_available() else "")')
DATA_LICENCE := FER2013: pixels of a 2013 research challenge; FER+: MIT; \
	muxspace/facial_expressions: Apache-2.0
LICENCE := weights: Apache-2.0; trained on FER2013 (pixels of a 2013 research challenge) with the \
	votes of FER+ (MIT) and on muxspace/facial_expressions (Apache-2.0), from ImageNet weights: for \
	research and trying out; ask a lawyer before anything else

model: $(MODEL)/model.onnx  ## train the model in the box (needs ../shared)
	@echo "Look at:   $(MODEL)/evaluation/report.html"
	@echo "           $(MODEL)/model-card.md"
	@echo "Ships as:  cp $< src/emotion/bundled/model.onnx"

$(MODEL)/ferplus: | .venv/installed
	@$(BIN)/emotion data import ferplus $(SHARED)/data/ferplus.zip $@

$(MODEL)/doubtful: | .venv/installed
	@$(BIN)/emotion data import ferplus $(SHARED)/data/ferplus.zip $@ --rule plurality

$(MODEL)/faces5.json: | .venv/installed
	@$(BIN)/emotion data split $(SHARED)/data/faces5 --val 388 --groups groups.csv --out $@

$(MODEL)/faces: | $(MODEL)/ferplus $(MODEL)/doubtful $(MODEL)/faces5.json
	@$(BIN)/emotion data join $@ train=$(MODEL)/doubtful/train val=$(MODEL)/ferplus/val \
		$(SHARED)/data/faces5 --split $(SHARED)/data/faces5 $(MODEL)/faces5.json

# Not selection.json, which a run that was ended has too.
$(MODEL)/trained: | $(MODEL)/faces
	@$(BIN)/emotion train experiment=bundled$(if $(GPU),,_cpu) data.root=$(MODEL)/faces \
		model.weights=$(SHARED)/weights/mobilenet_v2-imagenet-int8.pth \
		hydra.run.dir=$(MODEL)/run resume=auto $(SETTINGS)
	@touch $@

$(MODEL)/model.onnx: $(MODEL)/trained
	@$(BIN)/emotion calibrate $(MODEL)/run --error 0.15
	@$(BIN)/emotion evaluate $(MODEL)/run --out $(MODEL)/evaluation --upsample 0 1 --validation
	@$(BIN)/emotion card $(MODEL)/run --evaluation $(MODEL)/evaluation --out $(MODEL)/model-card.md \
		--name "The model in the box" --licence-of-weights apache-2.0 --data-licence "$(DATA_LICENCE)"
	@$(BIN)/emotion export $(MODEL)/run --format onnx-half --most-loss 0.002 --out $@ \
		--licence "$(LICENCE)"

# One process a core, each with one thread: threads of several would wait for one another.
test: .venv/installed  ## run the tests
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n auto --dist worksteal $(if $(SLOW),-m "not slurm",-m "not slow and not gpu and not slurm")

test-slurm: .venv/installed  ## run the tests that start a SLURM of their own (Debian: slurm-wlm)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m slurm tests/cluster

# The variable silences the theme's notice about its successor; a page's mistakes stay errors.
docs: .venv/installed  ## build the pages of docs/ as a site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Look at: outputs/site/index.html"

check: .venv/installed  ## format, lint, types, import layers
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: .venv/installed  ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: .venv/installed  ## pin the newest versions that the bounds allow
	@$(BIN)/uv pip compile -q --upgrade --universal --no-emit-index-url --no-annotate --no-header \
		--python-version 3.11 pyproject.toml --all-extras --group dev -o requirements.lock

clean:  ## remove .venv and caches; outputs/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
