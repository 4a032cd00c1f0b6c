# Short names for plain commands. Everything runs in .venv, which is made when it is needed.
# All paths are relative, so that the project may lie in a folder with a space in its name.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
ROOT_MAY := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: help setup run test test-all test-nightly test-keras study-tablets study-groups study-transfer benchmark infrared exercises challenge cheat-sheet slides lab docs lite readme picture export format constraints wheel dist bench clean

help:
	@echo 'make run      execute the quick start: notebook, figures and table of errors in run/'
	@echo 'make lab      open the notebooks in JupyterLab'
	@echo 'make test     what every change has to pass, in ten minutes: lint, pages of the library, quick tests'
	@echo 'make test-all      everything: also course, guides, studies, slow cells and slow tests'
	@echo 'make test-nightly  what is left: more random examples, the other backends that are installed'
	@echo 'make test-keras BACKEND=torch   the tests that use Keras, under torch or tensorflow'
	@echo 'make study-tablets  compute what is missing in the study of the tablets: hours, can be interrupted'
	@echo 'make study-groups   compute what is missing in the studies of functional groups: an hour, can be interrupted'
	@echo 'make study-transfer compute what is missing in the study of calibration transfer: half an hour'
	@echo 'make benchmark  compute what is missing in the benchmark of models: hours, can be interrupted'
	@echo 'make infrared  compute the infrared library from molecules: an hour or two, can be interrupted'
	@echo 'make exercises  the exercises of the course without their solutions, in release/'
	@echo 'make cheat-sheet  the functions of the library on one page, in release/cheat_sheet.pdf'
	@echo 'make slides   slides for each part of the course, in release/slides/'
	@echo 'make challenge SEED=...  a sealed challenge in challenge/: spectra for students, contents for the teacher'
	@echo 'make setup    make .venv, which the others do by themselves'
	@echo 'make export   notebooks to modules, and clean the notebooks'
	@echo 'make format   format and lint, repairing what can be repaired'
	@echo 'make readme   README.md from nbs/index.ipynb'
	@echo 'make picture  the picture of the README, in nbs/images/: two minutes'
	@echo 'make docs     the website, in _docs/'
	@echo 'make lite     chapters 1 to 6 to run in the browser, in _docs/lite/; PYODIDE=folder serves Pyodide, too'
	@echo 'make wheel    the package, in dist/'
	@echo 'make constraints  the versions that are installed, in constraints.txt'
	@echo 'make dist     wheel and source distribution, checked and tried in an empty environment'
	@echo 'make bench    time the import, scatter correction, readers, PLS and training, beside others (minutes)'
	@echo 'make clean    remove what these commands made, but for .venv'

setup: $(READY)

# The stamp is removed before anything changes and comes back last: an interrupted installation is repeated.
$(READY): settings.ini pyproject.toml setup.py
	@command -v '$(PYTHON)' >/dev/null || { \
	  echo "No $(PYTHON) found. Install Python 3.11 or later, or name yours: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; } >&2
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or later is needed; $(PYTHON) is $$('$(PYTHON)' --version 2>&1)."; \
	  echo "Install a newer one and name it: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; } >&2
	@'$(PYTHON)' -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) comes without venv. On Debian and Ubuntu: apt install python3-venv"; exit 1; } >&2
	@if [ -f $@ ]; then rm $@; echo 'Bringing .venv up to date.'; else \
	  echo 'Making .venv, about 2.5 GB: a few minutes, once.'; '$(PYTHON)' -m venv --clear .venv; fi
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[dev]'
	@touch $@

run: $(READY)
	@$(BIN)/python scripts/run_tour.py

test: $(READY)
	@$(BIN)/python scripts/test.py

test-all: $(READY)
	@$(BIN)/python scripts/test.py --all

test-nightly: $(READY)
	@$(BIN)/python scripts/test.py --nightly

BACKEND ?= jax
test-keras: $(READY)
	@$(BIN)/python scripts/test.py --backend '$(BACKEND)'

study-tablets: $(READY)
	@$(BIN)/python -c 'from studies.tablets import main; main()'

study-groups: $(READY)
	@$(BIN)/python -c 'from studies.functional_groups import main; main()'
	@$(BIN)/python -c 'from studies.group_explanations import main; main()'
	@$(BIN)/python -c 'from studies.measured_groups import main; main()'
	@$(BIN)/python -c 'from studies.phase import main; main()'
	@$(BIN)/python -c 'from studies.force_constants import main; main()'
	@$(BIN)/python -c 'from studies.measured_explanations import main; main()'

study-transfer: $(READY)
	@$(BIN)/python -c 'from studies.transfer import main; main()'

benchmark: $(READY)
	@$(BIN)/python -c 'from studies.benchmark import main; main()'

# LEAVE_OUT: a file of InChIKeys to leave out, or none; default is the one among the outside data
infrared: $(READY)
	@$(BIN)/python scripts/compute_infrared.py compute $(if $(LEAVE_OUT),--leave-out '$(LEAVE_OUT)')
	@$(BIN)/python scripts/compute_infrared.py assemble

exercises: $(READY)
	@$(BIN)/python scripts/exercises.py

challenge: $(READY)
	@test -n '$(SEED)' || { echo 'Choose a number that is hard to guess: make challenge SEED=...' >&2; exit 1; }
	@$(BIN)/python scripts/challenge.py write '$(SEED)'

cheat-sheet: $(READY)
	@$(BIN)/python scripts/cheat_sheet.py

slides: $(READY)
	@$(BIN)/python scripts/slides.py

lab: $(READY)
	@$(BIN)/python -m jupyterlab $(ROOT_MAY) nbs/index.ipynb

docs: $(READY)
	@$(BIN)/python scripts/make_docs.py

# PYODIDE: a folder with the files of Pyodide, for rooms without internet
lite: $(READY)
	@$(BIN)/python scripts/make_lite.py $(if $(PYODIDE),--pyodide '$(PYODIDE)')

readme: $(READY)
	@$(BIN)/python scripts/make_readme.py

picture: $(READY)
	@$(BIN)/python scripts/overview.py

export: $(READY)
	@$(BIN)/python scripts/export.py

format: $(READY)
	@$(BIN)/python -m ruff format .
	@$(BIN)/python -m ruff check --fix .

constraints: $(READY)
	@$(BIN)/python scripts/constraints.py

dist: $(READY)
	@$(BIN)/python scripts/dist.py

wheel: $(READY)
	@rm -rf build  # else modules since removed would come along
	@$(BIN)/python -m build --no-isolation

bench: $(READY)
	@for benchmark in import_time scatter read_jcamp 'pls small medium' \
	    'training --rounds 10 --large-rounds 0 --recipe 2'; do \
	  set -- $$benchmark; name=$$1; shift; echo "== benchmarks/$$name.py"; \
	  $(BIN)/python "benchmarks/$$name.py" "$$@" || exit 1; echo; done

clean:
	rm -rf run release _docs _proc build dist *.egg-info .pytest_cache .ruff_cache .jax_cache .import_linter_cache
