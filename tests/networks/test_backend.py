"""Which backend Keras gets: JAX by default, the user's choice where there is one. In fresh interpreters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIGHT = ["datasets", "checks", "plotting", "preprocessing", "pls", "augmentation", "studies", "simulate", "bands"]
WITH_KERAS = ["layers", "random_layers", "architectures", "our_network", "cnn", "training", "saving", "estimators"]


def fresh(code: str, **env: str) -> str:
    """What a new interpreter prints, in which nobody has chosen a backend unless `env` does."""
    own = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    command = [sys.executable, "-W", "error::ImportWarning", "-c", code]
    done = subprocess.run(command, cwd=ROOT, env={**own, **env}, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("module", WITH_KERAS)
def test_jax_by_default(module):
    code = f"import os, deep_chemometrics.{module}, keras; print(keras.backend.backend(), os.environ['KERAS_BACKEND'])"
    assert fresh(code) == "jax jax"


# Keras itself is not imported here, since the backend may not be installed: a module of that name takes its place
STAND_IN = """
import os, sys, types
class Seen(Exception): pass
class Finder:
    def find_spec(self, name, *rest):
        if name == "keras":
            raise Seen(os.environ.get("KERAS_BACKEND"))
sys.meta_path.insert(0, Finder())
try:
    import deep_chemometrics.networks.backend
except Seen as seen:
    print(seen)
"""


@pytest.mark.parametrize("choice", ["tensorflow", "torch", "openvino", "jax"])
def test_choice_by_the_environment_is_respected(choice):
    assert fresh(STAND_IN, KERAS_BACKEND=choice) == choice


def test_backend_is_chosen_before_keras_is_imported():
    assert fresh(STAND_IN) == "jax"


def test_keras_imported_before_is_left_alone(tmp_path):
    # a user whose keras.json says numpy, and who imports Keras first
    (tmp_path / "keras.json").write_text('{"backend": "numpy"}')
    code = (
        "import keras, os; before = keras.backend.backend(); import deep_chemometrics.networks.backend; "
        "print(before, keras.backend.backend(), os.environ.get('KERAS_BACKEND'))"
    )
    assert fresh(code, KERAS_HOME=str(tmp_path)) == "numpy numpy None"


@pytest.mark.parametrize("name", ["", *LIGHT])
def test_light_modules_import_no_keras(name):
    module = f"deep_chemometrics.{name}".rstrip(".")
    code = (
        f"import os, sys, {module}; heavy = {{'keras', 'jax', 'jaxlib', 'tensorflow', 'torch'}}; "
        "print(sorted({m.split('.')[0] for m in sys.modules} & heavy), os.environ.get('KERAS_BACKEND'))"
    )
    assert fresh(code) == "[] None"


def test_loading_and_preprocessing_need_no_keras():
    code = (
        "import sys; from deep_chemometrics.data import load_tablets; "
        "from deep_chemometrics.preprocessing import EMSC; from deep_chemometrics.augmentation import augment_scatter; "
        "X = load_tablets()[:20].X; augment_scatter(EMSC().fit_transform(X)); print('keras' in sys.modules)"
    )
    assert fresh(code) == "False"
