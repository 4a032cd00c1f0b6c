"""Every estimator under scikit-learn's checks, and with data in the forms in which people hold them."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingRegressor
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from deep_chemometrics.calibration import PLSDA, ApplicabilityDomain, LocallyWeightedPLS, PLSRegressionCV
from deep_chemometrics.networks import CNNClassifier, CNNRegressor
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.preprocessing import EMSC, SNV

rng = np.random.default_rng(0)
content = rng.uniform(0, 10, 40)
X = content[:, None] * np.exp(-0.5 * ((np.arange(20) - 8) / 3) ** 2) + rng.normal(1, 0.1, (40, 20))
y = content + 1


@pytest.mark.slow
@parametrize_with_checks([PLSRegressionCV(3, cv=3), PLSDA(2), LocallyWeightedPLS(), ApplicabilityDomain()])
def test_scikit_learn_contract(estimator, check):  # none is excused
    check(estimator)


def small(n_channels, n_outputs, seed):
    start = keras.initializers.GlorotUniform(seed)
    return keras.Sequential([keras.Input((n_channels,)), keras.layers.Dense(n_outputs, kernel_initializer=start)])


def cnn(kind=CNNRegressor, **options):
    return kind(small, epochs=2, batch_size=32, verbose=0, random_state=0, **options)


MODELS = {
    "PLSRegressionCV": lambda: PLSRegressionCV(3, cv=3),
    "PLSDA": lambda: PLSDA(2, cv=3),
    "LocallyWeightedPLS": lambda: LocallyWeightedPLS(),
    "ApplicabilityDomain": lambda: ApplicabilityDomain(),
    "CNNRegressor": lambda: cnn(),
    "CNNClassifier": lambda: cnn(CNNClassifier),
    "pipeline": lambda: make_pipeline(SNV(), EMSC(1), PLSRegressionCV(3, cv=3)),
}


def fitted(name, X, y):
    y = (y > 6) if name in ("PLSDA", "CNNClassifier") else y
    return MODELS[name]().fit(X, y).predict(X)


def mapped(folder, values):
    np.save(folder / "x.npy", values)
    return np.load(folder / "x.npy", mmap_mode="r")


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("form", ["read-only memory map", "Fortran order", "strides", "pandas", "polars"])
def test_the_same_numbers_in_another_form_give_the_same_model(tmp_path, name, form):
    if form == "read-only memory map":
        given = mapped(tmp_path, X), y
    elif form == "Fortran order":
        given = np.asfortranarray(X), y
    elif form == "strides":
        given = np.repeat(X, 2, axis=1)[:, ::2], np.repeat(y, 3)[::3]
    else:
        library = pd if form == "pandas" else pytest.importorskip("polars")
        given = library.DataFrame({f"{900 + i} nm": X[:, i] for i in range(20)}), library.Series(y)
    assert np.allclose(fitted(name, *given), fitted(name, X, y), rtol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_half_precision_is_read_as_what_it_is(name):
    coarse = X.astype(np.float16)
    assert np.allclose(fitted(name, coarse, y), fitted(name, coarse.astype(float), y), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
def test_sparse_spectra_are_refused(name):
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        fitted(name, scipy.sparse.csr_array(X), y)


class Count(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.epochs = 0

    def on_epoch_end(self, epoch, logs=None):
        self.epochs += 1


@pytest.mark.slow
def test_callbacks_find_their_way_to_the_network():
    with sklearn.config_context(enable_metadata_routing=True):
        network = cnn().set_fit_request(callbacks=True)
        count = Count()
        make_pipeline(SNV(), network).fit(X, y, callbacks=[count])
        assert count.epochs == 2
        cross_validate(network, X, y, cv=2, params={"callbacks": [count]}, error_score="raise")
        assert count.epochs == 6


@pytest.mark.slow
def test_networks_inside_other_estimators():
    scaled = TransformedTargetRegressor(cnn(), transformer=StandardScaler()).fit(X, y)
    assert scaled.predict(X).shape == (40,)
    stack = StackingRegressor([("pls", PLSRegressionCV(3, cv=3)), ("cnn", cnn())], cv=2).fit(X, y)
    assert stack.score(X, y) > 0.9
