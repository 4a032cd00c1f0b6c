"""Which backend Keras gets: JAX by default, the user's choice where there is one. In fresh interpreters."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "deep_chemometrics"
LIGHT = [
    "",
    "checks",
    "storage",
    "data",
    "preprocessing",
    "augmentation",
    "augmentation.arrays",
    "calibration",
    "plotting",
    "networks",
    "explanation",
    "infrared",
]


def modules_with_keras():
    """All modules that import Keras, themselves or from the module `backend`."""
    imports = re.compile(r"^ *(from|import) (keras|\S*\.backend import)", re.MULTILINE)
    paths = [path for path in PACKAGE.rglob("*.py") if imports.search(path.read_text(encoding="utf-8"))]
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths)


def fresh(code: str, **env: str) -> str:
    """What a new interpreter prints; no backend is chosen there unless `env` does."""
    own = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    command = [sys.executable, "-W", "error::ImportWarning", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env={**own, **env}, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Keras itself is not imported here, since the backend may not be installed: a module of that name takes its place
STAND_IN = """
import importlib, os, sys
class Seen(Exception): pass
class Finder:
    def find_spec(self, name, *rest):
        if name == "keras":
            raise Seen(os.environ.get("KERAS_BACKEND"))
sys.meta_path.insert(0, Finder())
before = os.environ.get("KERAS_BACKEND")
for module in {modules}:
    try:
        importlib.import_module(module)
    except Seen as seen:
        print(module, seen)
    for name in [name for name in sys.modules if name.startswith("deep_chemometrics")]:
        del sys.modules[name]
    if before is None:
        os.environ.pop("KERAS_BACKEND", None)
"""


def backends_seen(modules, **env):
    """The choice of the backend at the moment each of the modules imports Keras."""
    lines = fresh(STAND_IN.format(modules=modules), **env).splitlines()
    return dict(line.split() for line in lines)


def test_jax_by_default():
    code = (
        "import os, deep_chemometrics.networks.backend, keras; "
        "print(keras.backend.backend(), os.environ['KERAS_BACKEND'])"
    )
    assert fresh(code) == "jax jax"


def test_backend_is_chosen_before_any_module_imports_keras():
    modules = modules_with_keras()
    assert len(modules) > 10 and "deep_chemometrics.networks.estimators" in modules
    assert backends_seen(modules) == dict.fromkeys(modules, "jax")


@pytest.mark.parametrize(
    "choice", ["torch", *(pytest.param(b, marks=pytest.mark.slow) for b in ("tensorflow", "openvino", "jax"))]
)
def test_choice_by_the_environment_is_respected(choice):
    module = "deep_chemometrics.networks.backend"
    assert backends_seen([module], KERAS_BACKEND=choice) == {module: choice}


@pytest.mark.slow
def test_keras_imported_before_is_left_alone(tmp_path):
    # a user whose keras.json says numpy, and who imports Keras first
    (tmp_path / "keras.json").write_text('{"backend": "numpy"}')
    code = (
        "import keras, os; before = keras.backend.backend(); import deep_chemometrics.networks.backend; "
        "print(before, keras.backend.backend(), os.environ.get('KERAS_BACKEND'))"
    )
    assert fresh(code, KERAS_HOME=str(tmp_path)) == "numpy numpy None"


def test_light_modules_import_no_keras():
    code = (
        "import importlib, os, sys; heavy = {'keras', 'jax', 'jaxlib', 'tensorflow', 'torch'}\n"
        f"for name in {LIGHT}:\n"
        "    importlib.import_module(f'deep_chemometrics.{name}'.rstrip('.'))\n"
        "    print(name, sorted({m.split('.')[0] for m in sys.modules} & heavy), os.environ.get('KERAS_BACKEND'))"
    )
    assert fresh(code).splitlines() == [f"{name} [] None".strip() for name in LIGHT]


def test_loading_and_preprocessing_need_no_keras():
    code = (
        "import sys; from deep_chemometrics.data import load_tablets; "
        "from deep_chemometrics.preprocessing import EMSC; from deep_chemometrics.augmentation import augment_scatter; "
        "X = load_tablets()[:20].X; augment_scatter(EMSC().fit_transform(X)); print('keras' in sys.modules)"
    )
    assert fresh(code) == "False"


# Where the extra `deep` is not installed

WITHOUT = """
import importlib, sys
class Finder:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] == "{missing}":
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Finder())
for address in {addresses}:
    module, _, name = address.partition(" ")
    try:
        getattr(importlib.import_module(f"deep_chemometrics.{{module}}"), name)
        print("imported")
    except ImportError as error:
        print(error)
"""
NEED_KERAS = ["networks CNNRegressor", "networks ScatterCorrection", "explanation attribute", "infrared predict_groups"]
NEED_KERAS += ["augmentation RandomScatter"]
NEED_NONE = ["augmentation augment_scatter", "explanation localization", "infrared prepare_infrared"]


@pytest.mark.parametrize("missing", ["keras", "jax"])
def test_without_keras_or_jax_one_line_says_what_to_install(missing):
    lines = fresh(WITHOUT.format(missing=missing, addresses=NEED_KERAS + NEED_NONE)).splitlines()
    message = f"networks need Keras and a backend, but {missing} is not installed: "
    message += 'pip install "deep_chemometrics[deep]"'
    assert lines == [message] * len(NEED_KERAS) + ["imported"] * len(NEED_NONE)


def test_a_backend_that_was_chosen_and_is_missing_is_named():
    code = WITHOUT.format(missing="torch", addresses=NEED_KERAS[:1])
    assert fresh(code, KERAS_BACKEND="torch").startswith("KERAS_BACKEND is 'torch', but torch is not installed: pip")
