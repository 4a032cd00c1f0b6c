"""Predictions of many spectra need memory for the result, and not for copies of the spectra."""

import tracemalloc
from functools import partial

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression

from deep_chemometrics.calibration import (
    PLSDA,
    ApplicabilityDomain,
    LocallyWeightedPLS,
    PLSRegressionCV,
    hotelling_t2,
    q_residuals,
)
from deep_chemometrics.checks import by_portions

N, P = 20_000, 300
PORTION = 1_024 * P * 8  # bytes of the spectra that are worked on at once
rng = np.random.default_rng(0)
TRAIN = rng.normal(size=(60, P))
Y = TRAIN[:, :2].sum(axis=1)
LABELS = np.where(Y > 0, "high", "low")


@pytest.fixture(scope="module")
def many():
    return np.random.default_rng(1).normal(size=(N, P))


@pytest.fixture(scope="module")
def pls():
    return PLSRegressionCV(4).fit(TRAIN, Y)


FUNCTIONS = {
    "PLSRegressionCV.predict": lambda pls: pls.predict,
    "all_components": lambda pls: lambda X: pls.predict(X, all_components=True),
    "PLSDA.predict": lambda pls: PLSDA(3).fit(TRAIN, LABELS).predict,
    "q_residuals": lambda pls: lambda X: q_residuals(pls, X),
    "q_residuals, scikit-learn": lambda pls: partial(q_residuals, PLSRegression(3).fit(TRAIN, Y)),
    "hotelling_t2": lambda pls: lambda X: hotelling_t2(pls, X),
    "ApplicabilityDomain.predict": lambda pls: ApplicabilityDomain(5).fit(TRAIN).predict,
}


def peak(function, X):
    tracemalloc.start()
    try:
        found = function(X)
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_memory(name, dtype, many, pls):
    """At most six portions, a seventh part of the spectra, besides what comes back and numbers as large."""
    function = FUNCTIONS[name](pls)
    X = many.astype(dtype)
    found, bytes_taken = peak(function, X)
    assert bytes_taken < 6 * PORTION + 4 * max(found.nbytes, 8 * N)
    some = np.r_[0:5, 1_020:1_030, N - 5 : N]
    part = function(X[some])
    together = found[:, some] if name == "all_components" else found[some]
    assert np.array_equal(together, part) if found.dtype.kind in "UO" else np.allclose(together, part, rtol=1e-5)


def test_locally_weighted_pls_copies_nothing(many):
    model = LocallyWeightedPLS(2, n_neighbours=20).fit(TRAIN, Y)
    model._predict_one = lambda x: x[0]  # a regression for every spectrum takes minutes
    found, bytes_taken = peak(model.predict, many)
    assert bytes_taken < PORTION and np.array_equal(found, many[:, 0])


def test_portions():
    X = np.arange(30.0).reshape(15, 2)
    for n_rows in (1, 4, 15, 100):
        assert np.array_equal(by_portions(lambda x: x * 2, X, n_rows), X * 2)
    calls = []
    by_portions(lambda x: calls.append(len(x)) or x, X, 4)
    assert calls == [4, 4, 4, 3]
