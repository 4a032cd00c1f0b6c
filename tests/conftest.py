"""What several files of tests need. Keras is imported only by the functions that need it."""

import functools
import os
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# before anything imports scipy: with this scikit-learn's check_estimator skips none of its checks
os.environ.setdefault("SCIPY_ARRAY_API", "1")
# where scripts/test.py lets JAX keep what it compiles, a folder for each process: JAX does not lock what it writes
if "JAX_COMPILATION_CACHE_DIR" in os.environ:
    process = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    os.environ["JAX_COMPILATION_CACHE_DIR"] = os.path.join(os.environ["JAX_COMPILATION_CACHE_DIR"], process)

# -- The speeds of scripts/test.py, and the tests that use Keras ------------------------------------------------------

settings.register_profile("quick", max_examples=25, deadline=None)
settings.register_profile("full", max_examples=200, deadline=None)
settings.register_profile("nightly", max_examples=5_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

KERAS = re.compile(
    r"keras|deep_chemometrics\.(networks|explanation)\b|\b(Random(?!State|Forest)[A-Z]\w+|predict_groups)\b"
)


@functools.cache
def uses_keras(path: Path) -> bool:
    return KERAS.search(path.read_text(encoding="utf-8")) is not None


def pytest_collection_modifyitems(items):
    """The mark `keras` for all tests of a file that names Keras, or what is built on it."""
    for item in items:
        if uses_keras(item.path):
            item.add_marker("keras")


# -- Spectra ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tablets():
    """All embedded spectra (1284, 597), a copy for each file of tests."""
    from deep_chemometrics.data import load_tablets

    return np.array(load_tablets().X)


@pytest.fixture(scope="module")
def train(tablets):
    """Some of them, all from instrument 1, to learn references from."""
    return tablets[:155]


# -- Networks, under each of the backends ---------------------------------------------------------------------------


def numbers(tensor):
    """A tensor of the backend at work as an array."""
    from deep_chemometrics.networks.backend import keras

    return keras.ops.convert_to_numpy(tensor)


def answers(model, X):
    return numbers(model(X))


def n_trained(model):
    return sum(int(np.prod(w.shape)) for w in model.trainable_weights)


def spectra(n=6, p=40, seed=0):
    """Noise: networks do not care."""
    return np.random.default_rng(seed).normal(size=(n, p)).astype("float32")


def gradient_of(function, x):
    """Gradient (array) of a scalar function of a tensor, at the array `x`."""
    from deep_chemometrics.networks.backend import keras

    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(function)(x))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tensor = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            result = function(tensor)
        return tape.gradient(result, tensor).numpy()
    import torch

    tensor = torch.tensor(x, requires_grad=True)
    function(tensor).backward()
    return tensor.grad.numpy()
