"""One fitted network in many threads, and in processes that were forked."""

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from deep_chemometrics.explanation import attribute, kernel_activations, weight_check
from deep_chemometrics.networks import CNNClassifier, CNNRegressor, load_model

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 30))
X[:, 3] *= 5


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A classifier's file and its probabilities."""
    model = CNNClassifier("savgol_net", epochs=1, learning_rate=0.01, verbose=0, random_state=5)
    right = model.fit(X, X[:, 3] > 0).predict_proba(X)
    return model.save(tmp_path_factory.mktemp("models") / "m.keras"), right


def test_predictions_of_many_threads_agree(file):
    path, right = file
    model = load_model(path)
    parts = [X, X[:7], X[7:12], X[12:]]
    first = np.array_split(right, [7, 12])
    expected = [right, *first]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda i: model.predict_proba(parts[i % 4]), range(40)))
    for i, probability in enumerate(found):
        assert np.allclose(probability, expected[i % 4], atol=1e-6)


@pytest.mark.slow
def test_explaining_in_one_thread_leaves_predictions_of_others_alone(file):
    """The first prediction, which compiles, comes while other threads look into the network."""
    path, right = file
    model = load_model(path)
    started = threading.Barrier(4)
    calls = [
        lambda: attribute(model, X[:4], "gradient", progress=False),
        lambda: kernel_activations(model, X[:4]),
        lambda: weight_check(model, X[:2], "gradient", n_draws=1),
        lambda: model.predict_proba(X),
    ]

    def together(call):
        started.wait()
        return [call() for _ in range(3)]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(together, calls))
    for probability in (*results[3], model.predict_proba(X)):
        assert np.allclose(probability, right, atol=1e-6)
    again = attribute(model, X[:4], "gradient", progress=False)
    assert all(np.allclose(gradient, again) for gradient in results[0])
    assert not any("call" in vars(layer) for layer in model.model_._flatten_layers())


def child(model, queue):
    try:
        queue.put(model.predict(X).shape)
    except RuntimeError as error:
        queue.put(str(error))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:os.fork:RuntimeWarning")
def test_a_forked_process_is_told_what_to_use(file):
    """JAX's threads do not exist in a forked process: without a word, predicting there would wait forever."""
    model = load_model(file[0])
    model.predict(X)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(model, queue))
    process.start()
    try:
        said = queue.get(timeout=60)
    finally:
        process.kill()
        process.join()
    assert "forked" in said and "get_context('spawn')" in said


@pytest.mark.slow
def test_cross_validate_in_threads():
    from joblib import parallel_config
    from sklearn.model_selection import cross_validate

    model = CNNRegressor("savgol_net", epochs=3, verbose=0, random_state=0)
    y = X[:, 3]
    alone = cross_validate(model, X, y, cv=3, scoring="r2")["test_score"]
    with parallel_config("threading", n_jobs=3):
        together = cross_validate(model, X, y, cv=3, scoring="r2")["test_score"]
    assert np.allclose(alone, together, atol=1e-5)
