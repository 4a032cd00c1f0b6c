"""Reference models: locally weighted PLS against ordinary PLS and a slow formulation; all models fit."""

from functools import partial

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from deep_chemometrics.calibration import LocallyWeightedPLS, compare, reference_models

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 12))
y = X @ rng.normal(size=12) + 0.5 * rng.normal(size=60) + 10
EXACT = 1e-9  # the same computation in float64 on values of the order of ten: only the order of summation differs

run = partial(compare, progress=False)


@parametrize_with_checks([LocallyWeightedPLS()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_without_localization_it_is_ordinary_pls():
    local = LocallyWeightedPLS(5, n_neighbours=40, localization=0).fit(X[:40], y[:40])
    ordinary = PLSRegression(5, scale=False).fit(X[:40], y[:40])
    assert np.abs(local.predict(X[40:]) - ordinary.predict(X[40:])).max() < EXACT


def test_neighbours_are_those_of_the_mahalanobis_distance_between_scores():
    local = LocallyWeightedPLS(3, n_neighbours=15, localization=0).fit(X[:40], y[:40])
    pca = PCA(3, whiten=True).fit(X[:40])
    for x, predicted in zip(X[40:], local.predict(X[40:])):
        distance = np.linalg.norm(pca.transform(X[:40]) - pca.transform(x[None]), axis=1)
        near = np.argsort(distance)[:15]
        alone = PLSRegression(3, scale=False).fit(X[:40][near], y[:40][near])
        assert abs(predicted - alone.predict(x[None])[0]) < EXACT


def test_weights_against_a_slow_formulation():
    """Weighted least squares on the scores of weighted PLS weights, which are found by deflating everything."""
    local = LocallyWeightedPLS(4, n_neighbours=25, localization=0.8).fit(X[:40], y[:40])
    scores = PCA(4, whiten=True).fit(X[:40])
    for x, predicted in zip(X[40:50], local.predict(X[40:50])):
        d = np.linalg.norm(scores.transform(X[:40]) - scores.transform(x[None]), axis=1)
        near = np.argsort(d)[:25]
        weights = np.diag(np.exp(-0.8 * d[near] / d[near].std()))
        A, b = X[:40][near], y[:40][near]
        ones = np.ones((1, 25)) @ weights / weights.sum()
        A, mean, b, level, new = A - ones @ A, ones @ A, b - ones @ b, ones @ b, x - (ones @ A)[0]
        W, E = [], A
        for _ in range(4):
            w = E.T @ weights @ b
            W.append(w / np.linalg.norm(w))
            t = E @ W[-1]
            E = E - np.outer(t, t @ weights @ E) / (t @ weights @ t)
        Z = A @ np.array(W).T  # these span the same space as the scores of PLS
        coefficients = np.linalg.solve(Z.T @ weights @ Z, Z.T @ weights @ b)
        assert abs(level[0] + (new @ np.array(W).T) @ coefficients - predicted) < 1e-8
        assert mean.shape == (1, 12)


def test_nonlinear_target_needs_neighbours():
    t = np.random.default_rng(3).uniform(-2, 2, 300)
    curved = np.column_stack([t, t + 1e-3 * np.sin(9 * t)])
    local = LocallyWeightedPLS(1, n_neighbours=20).fit(curved[:200], t[:200] ** 2)
    straight = PLSRegression(1, scale=False).fit(curved[:200], t[:200] ** 2)
    error = [np.sqrt(np.mean((m.predict(curved[200:]) - t[200:] ** 2) ** 2)) for m in (local, straight)]
    assert error[0] < error[1] / 10


@pytest.mark.parametrize("spectra", [np.ones((9, 4)), np.tile(np.arange(4.0), (9, 1))], ids=["constant", "alike"])
def test_spectra_that_are_all_alike_predict_the_mean(spectra):
    assert LocallyWeightedPLS().fit(spectra, np.arange(9.0)).predict(spectra) == pytest.approx(4.0, abs=EXACT)


@pytest.mark.parametrize("parameters", [{"n_components": 0}, {"n_neighbours": 0}, {"localization": -1.0}])
def test_bad_settings_of_locally_weighted_pls(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        LocallyWeightedPLS(**parameters).fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # a Gaussian process without a curve
@pytest.mark.filterwarnings("ignore:max_components=20 reduced to 12")
@pytest.mark.slow
def test_reference_models_are_better_than_the_mean_and_take_another_preprocessing():
    found = run(reference_models(StandardScaler(), n_scores=8), (X, y), [(np.arange(45), np.arange(45, 60))], 1)
    assert len(found.models) == 7 and (found.table()["rmse"] < y[45:].std()).all()
