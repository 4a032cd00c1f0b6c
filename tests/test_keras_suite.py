"""Which files of tests/ `make test-keras` takes: those that import Keras, themselves or through the library."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("scripts_test", ROOT / "scripts" / "test.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_files_are_found_by_what_they_import(script):
    found = {path.stem.removeprefix("test_") for path in script.keras_tests()}
    assert found >= {"layers", "random_layers", "architectures", "estimators", "activations", "attribution"}
    assert not found & {"pls", "preprocessing", "transforms", "readers", "keras_suite"}


def test_imports_at_any_depth_but_in_functions(script, tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "import os\nfrom deep_chemometrics.calibration.pls import vip\nfrom .layers import x\n"
        "from deep_chemometrics import readers\n"
        "class A:\n    import deep_chemometrics.networks.bjerrum_network\n    def f(self):\n        import keras\n"
        "try:\n    import keras.ops\nexcept ImportError:\n    pass\n"
    )
    assert script.imported(path) == {"pls", "layers", "readers", "cnn", "keras"}
    path.write_text("def f():\n    from deep_chemometrics.networks.backend import keras\n")
    assert script.imported(path) == set()


def test_missing_backend_names_the_command(script):
    missing = [name for name in script.INSTALL if importlib.util.find_spec(name) is None]
    if not missing:
        pytest.skip("all backends are installed here")
    command = [sys.executable, str(ROOT / "scripts" / "test.py"), "--backend", missing[0]]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert done.returncode == 2 and f"-m pip install {missing[0]}" in done.stderr and not done.stdout


def test_unknown_backend_is_refused():
    command = [sys.executable, str(ROOT / "scripts" / "test.py"), "--backend", "theano"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert done.returncode == 2 and "invalid choice: 'theano'" in done.stderr
