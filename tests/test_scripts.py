"""scripts/test.py: which tests use Keras, and what it says of a backend that is missing."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = ROOT / "scripts" / "test.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("scripts_test", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments) -> subprocess.CompletedProcess:
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL)


def test_files_that_name_keras_are_marked():
    from conftest import uses_keras

    tests = ROOT / "tests"
    yes = ["networks/test_estimators", "explanation/test_attribution", "augmentation/test_layers"]
    no = ["preprocessing/test_scatter", "data/test_readers", "calibration/test_pls", "augmentation/test_arrays"]
    assert [name for name in yes if not uses_keras(tests / f"{name}.py")] == []
    assert [name for name in no if uses_keras(tests / f"{name}.py")] == []


def test_missing_backend_names_the_command(script):
    missing = [name for name in script.INSTALL if importlib.util.find_spec(name) is None]
    if not missing:
        pytest.skip("all backends are installed here")
    done = run("--backend", missing[0])
    assert done.returncode == 2 and f"-m pip install {missing[0]}" in done.stderr and not done.stdout


def test_unknown_backend_is_refused():
    done = run("--backend", "theano")
    assert done.returncode == 2 and "invalid choice: 'theano'" in done.stderr


def test_pages_are_counted_and_slow_cells_run_on_demand(tmp_path, script):
    """A page that passes, one whose slow cell fails, and one that ends its process."""
    sources = {"good": ["1 + 1"], "slow": ["x = 1", "#| slow\nx / 0"], "killed": ["import os", "os._exit(3)"]}
    for name, cells in sources.items():
        code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        page = [{**code, "id": f"c{number}", "source": source} for number, source in enumerate(cells)]
        text = json.dumps({"cells": page, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        (tmp_path / f"{name}.ipynb").write_text(text)
    done = run(tmp_path / "good.ipynb", tmp_path / "slow.ipynb", tmp_path / "killed.ipynb")
    assert done.returncode == 1 and done.stdout.splitlines()[-1] == "1 passed, 2 failed"
    assert "ZeroDivisionError" in done.stdout
    assert script.has_slow_cells(tmp_path / "slow.ipynb") and not script.has_slow_cells(tmp_path / "good.ipynb")


# -- scripts/fuzz_readers.py ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz_readers", ROOT / "scripts" / "fuzz_readers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_undamaged_files_are_read(fuzz, tmp_path, monkeypatch):
    """What the damaged files begin with, and what is said of a reader that breaks the rules."""
    kinds = fuzz.seeds()
    assert len(kinds) > 20
    memory = fuzz.Memory()
    monkeypatch.setattr(fuzz, "case", lambda number, kinds: (number, *kinds[number]))
    for kind in kinds:
        result = fuzz.attempt(kind, kinds, tmp_path, memory)
        assert (result["outcome"], result["problem"]) == ("read", ""), result

    def breaks(path):
        raise KeyError(path.name)

    result = fuzz.attempt("csv", {"csv": (breaks, b"", {})}, tmp_path, memory)
    assert result["outcome"] == "KeyError" and "KeyError: 'case.csv'" in result["problem"]


def test_a_case_is_its_number(fuzz):
    kinds = {"csv": (print, b"id,600,602\na,1,2\n" * 9, {})}
    cases = [fuzz.case(number, kinds)[2] for number in range(200)]
    assert cases == [fuzz.case(number, kinds)[2] for number in range(200)] and len(set(cases)) > 150


@pytest.mark.slow
def test_fuzzing_goes_on_where_it_stopped(fuzz, tmp_path):
    for _ in range(2):
        command = [sys.executable, str(ROOT / "scripts" / "fuzz_readers.py"), "--minutes", "0.0001", "--batch", "20"]
        done = subprocess.run([*command, "--folder", str(tmp_path)], capture_output=True, encoding="utf-8")
        assert done.returncode == 0, done.stdout + done.stderr
    state = json.loads((tmp_path / "state.json").read_text())
    assert state["next"] == state["tried"] == 40 and state["problems"] == []
