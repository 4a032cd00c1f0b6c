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
