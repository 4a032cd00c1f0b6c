"""Prediction intervals: against MAPIE, written-out formulas and the promised coverage."""

import numpy as np
import pytest
from mapie.classification import SplitConformalClassifier
from mapie.regression import CrossConformalRegressor, SplitConformalRegressor
from sklearn.base import clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from deep_chemometrics.calibration import PLSDA, ConformalClassifier, ConformalRegressor, PLSRegressionCV
from deep_chemometrics.preprocessing import SNV


def samples(n=120, p=4, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X[:, 0] - X[:, 1] + rng.standard_t(4, size=n)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
def test_split_is_that_of_mapie(level):
    X, y = samples()
    new, _ = samples(50, seed=1)
    fitted = Ridge().fit(X[:60], y[:60])
    own = ConformalRegressor(FrozenEstimator(fitted)).fit(X[60:], y[60:]).predict_interval(new, level)
    other = SplitConformalRegressor(fitted, confidence_level=level, prefit=True).conformalize(X[60:], y[60:])
    np.testing.assert_allclose(own, other.predict_interval(new)[1][:, :, 0], rtol=1e-10)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("method", ["cv+", "jackknife+"])
def test_cross_conformal_is_that_of_mapie(method, level):
    X, y = samples(60)
    new, _ = samples(50, seed=1)
    folds = KFold(5, shuffle=True, random_state=0) if method == "cv+" else KFold(60)
    own = ConformalRegressor(Ridge(), method, cv=folds).fit(X, y).predict_interval(new, level)
    other = CrossConformalRegressor(Ridge(), confidence_level=level, method="plus", cv=folds)
    other = other.fit_conformalize(X, y).predict_interval(new)[1][:, :, 0]
    np.testing.assert_allclose(own, other, rtol=1e-10)


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_sets_are_those_of_mapie(level):
    X, y = samples(300)
    kind = np.digitize(y, [-1, 1])
    fitted = LogisticRegression().fit(X[:150], kind[:150])
    own = ConformalClassifier(FrozenEstimator(fitted)).fit(X[150:], kind[150:]).predict_set(X, level)
    other = SplitConformalClassifier(fitted, confidence_level=level, prefit=True, conformity_score="lac")
    other = other.conformalize(X[150:], kind[150:]).predict_set(X)[1][:, :, 0]
    assert np.array_equal(own, other)


def covered(model, X, y, level):
    lower, upper = model.predict_interval(X, level).T
    return np.mean((lower <= y) & (y <= upper))


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_split_covers_as_promised(level):
    """Between the level and the level + 1 / (n + 1), over 400 calibration sets of 19."""
    found = []
    for seed in range(400):
        X, y = samples(1019, seed=seed)
        model = ConformalRegressor(FrozenEstimator(DummyRegressor().fit(X[:1], [0.0]))).fit(X[:19], y[:19])
        found.append(covered(model, X[19:], y[19:], level))
    # the standard error of the mean of 400 is about 0.0045; three of them
    assert level - 0.014 < np.mean(found) < level + 1 / 20 + 0.014


def grouped(n_groups, n_scans, seed):
    """A sample's error is common to its scans."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), n_scans)
    error = rng.normal(size=n_groups)[groups] + 0.1 * rng.normal(size=len(groups))
    return np.zeros((len(groups), 1)), error, groups


def test_scans_of_a_sample_count_as_one():
    """Five samples of forty scans: as if they were 200 samples, the coverage of new ones is too low."""
    truth = {"grouped": [], "as if independent": []}
    zero = FrozenEstimator(DummyRegressor(strategy="constant", constant=0.0).fit(np.zeros((1, 1)), [0.0]))
    for seed in range(300):
        X, y, groups = grouped(5, 40, seed)
        new_X, new_y, _ = grouped(200, 1, 10_000 + seed)
        truth["grouped"].append(covered(ConformalRegressor(zero).fit(X, y, groups), new_X, new_y, 0.75))
        truth["as if independent"].append(covered(ConformalRegressor(zero).fit(X, y), new_X, new_y, 0.75))
    # the standard error of the mean of 300 is about 0.008
    assert np.mean(truth["grouped"]) > 0.75 - 0.024
    assert np.mean(truth["as if independent"]) < 0.72


def test_groups_of_one_scan_change_nothing():
    X, y = samples()
    plain = ConformalRegressor(Ridge(), cv=KFold(5)).fit(X, y)
    alone = ConformalRegressor(Ridge(), cv=KFold(5)).fit(X, y, groups=np.arange(120))
    np.testing.assert_allclose(alone.predict_interval(X), plain.predict_interval(X))


def test_scans_of_a_sample_stay_together():
    """Replicates that straddle would make errors of a nearest-neighbour-like model vanish."""
    X = np.repeat(np.eye(20), 5, axis=0)
    y = np.repeat(np.random.default_rng(0).normal(size=20), 5)
    groups = np.repeat(np.arange(20), 5)
    for method in ("split", "cv+", "jackknife+"):
        model = ConformalRegressor(LinearRegression(), method).fit(X, y, groups)
        assert model.scores_.max() > 0.5, method
        assert model.n_calibration_ == (5 if method == "split" else 20)


def test_difficulty_makes_intervals_wider_where_errors_are_larger():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(600, 1))
    y = np.abs(X[:, 0]) * rng.normal(size=600)
    model = ConformalRegressor(Ridge(), difficulty=lambda model, X: np.abs(X[:, 0])).fit(X[:300], y[:300])
    narrow, wide = np.diff(model.predict_interval([[0.0], [1.0]]), axis=1).ravel()
    assert wide > 2 * narrow
    assert abs(covered(model, X[300:], y[300:], 0.9) - 0.9) < 0.06  # three standard errors of 300 and 300


@pytest.mark.parametrize("difficulty", ["distance", "spread"])
def test_built_in_difficulties(difficulty):
    X, y = samples(200)
    forest = RandomForestRegressor(10, random_state=0)
    model = ConformalRegressor(forest, "split", difficulty=difficulty).fit(X, y)
    far = np.array([[9.0, -9, 9, -9]])
    near, distant = (np.diff(model.predict_interval(x), axis=1)[0, 0] for x in (np.zeros((1, 4)), far))
    assert distant > near
    if difficulty == "spread":
        members = [tree.predict(far) for tree in model.estimator_.estimators_]
        assert model._models[0].raw_difficulty(far) == pytest.approx(np.std(members, axis=0))


def test_recalibration_written_out():
    """The errors of each sample, with the bias of the others."""
    X, y = samples()
    model = ConformalRegressor(Ridge(), "split").fit(X[:60], y[:60])
    k = 12
    X_target, y_target = X[60 : 60 + k] + 0.5, y[60 : 60 + k]
    mended = model.recalibrate(X_target, y_target)
    error = model.predict(X_target) - y_target
    without = np.array([np.delete(error, i).mean() for i in range(k)])
    np.testing.assert_allclose(mended.scores_, np.abs(error - without))
    np.testing.assert_allclose(mended.predict(X), model.predict(X) - error.mean())
    centre = model.predict(X)[:, None] - without
    upper = np.sort(centre + mended.scores_, axis=1)[:, int(np.ceil(0.8 * (k + 1))) - 1]
    lower = np.sort(centre - mended.scores_, axis=1)[:, int(np.floor(0.2 * (k + 1))) - 1]
    np.testing.assert_allclose(mended.predict_interval(X, 0.8), np.column_stack([lower, upper]))
    assert model.shift_.max() == 0 and model.n_calibration_ == 15


def test_recalibration_restores_coverage():
    """A shift of five standard deviations, mended by 19 samples, over 100 draws."""
    found = {"as it was": [], "recalibrated": []}
    for seed in range(100):
        X, y = samples(400, seed=seed)
        model = ConformalRegressor(Ridge(), "split").fit(X[:150], y[:150])
        mended = model.recalibrate(X[150:169], y[150:169] + 5)
        found["as it was"].append(covered(model, X[169:], y[169:] + 5, 0.9))
        found["recalibrated"].append(covered(mended, X[169:], y[169:] + 5, 0.9))
    assert np.mean(found["as it was"]) < 0.2
    # between promise and promise + 1 / 20; the standard error of the mean is about 0.007
    assert 0.88 < np.mean(found["recalibrated"]) < 0.97


@pytest.mark.parametrize(("level", "n"), [(0.9, 9), (0.95, 19), (0.8, 4), (0.5, 1)])
def test_samples_that_a_level_needs(level, n):
    X, y = samples()
    frozen = FrozenEstimator(Ridge().fit(X, y))
    enough = ConformalRegressor(frozen).fit(X[:n], y[:n])
    largest = np.abs(y[:n] - frozen.predict(X[:n])).max()
    np.testing.assert_allclose(np.diff(enough.predict_interval(X, level)), 2 * largest)
    if n > 1:
        with pytest.raises(ValueError, match=f"at least {n} calibration samples"):
            ConformalRegressor(frozen).fit(X[: n - 1], y[: n - 1]).predict_interval(X, level)


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.1, np.nan, "90 %"])
def test_levels_outside_are_refused(level):
    X, y = samples()
    model = ConformalRegressor(Ridge(), "split").fit(X, y)
    with pytest.raises(ValueError, match="level"):
        model.predict_interval(X, level)
    sets = ConformalClassifier(LogisticRegression()).fit(X, y > 0)
    with pytest.raises(ValueError, match="level"):
        sets.predict_set(X, level)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"method": "bootstrap"}, "method"),
        ({"difficulty": "leverage"}, "difficulty"),
        ({"difficulty": "spread"}, "ensemble"),
        ({"difficulty": lambda model, X: -np.ones(len(X))}, "at least 0"),
        ({"difficulty": lambda model, X: np.ones(3)}, "at least 0"),
        ({"method": "split", "calibration_fraction": 1.0}, "calibration_fraction"),
        ({"method": "split", "calibration_fraction": 0.0}, "calibration_fraction"),
    ],
)
def test_bad_parameters(parameters, words):
    X, y = samples()
    with pytest.raises(ValueError, match=words):
        ConformalRegressor(Ridge(), **parameters).fit(X, y)


def test_bad_input():
    X, y = samples()
    with pytest.raises(ValueError, match="one at a time"):
        ConformalRegressor(Ridge()).fit(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="at least 2"):
        ConformalRegressor(Ridge()).fit(X, y).recalibrate(X[:1], y[:1])
    with pytest.raises(ValueError, match=r"channels|features"):
        ConformalRegressor(Ridge()).fit(X, y).predict_interval(X[:, :3])
    with pytest.raises(NotFittedError):
        ConformalRegressor(Ridge()).predict_interval(X)
    rare = np.where(np.arange(120) == 0, "rare", np.where(y > 0, "a", "b"))
    refused = 0
    for seed in range(8):
        try:
            ConformalClassifier(LogisticRegression(), random_state=seed).fit(X, rare)
        except ValueError as error:
            assert "'rare' is not among" in str(error)
            refused += 1
    assert 0 < refused < 8, "the only sample falls into the calibration part sometimes"


def test_constant_target_gives_intervals_of_no_width():
    X, _ = samples()
    model = ConformalRegressor(DummyRegressor()).fit(X, np.full(120, 2.0))
    np.testing.assert_allclose(model.predict_interval(X), 2.0)


def test_sets_cover_as_promised():
    X, y = samples(4000)
    kind = np.digitize(y, [-1, 1]).astype(str)
    model = ConformalClassifier(make_pipeline(SNV(), PLSDA(random_state=0))).fit(X[:2000], kind[:2000])
    found = model.predict_set(X[2000:], 0.9)
    right = found[np.arange(2000), np.searchsorted(model.classes_, kind[2000:])]
    assert abs(right.mean() - 0.9) < 0.045  # three standard errors of 500 calibration and 2000 new samples
    assert 1 < found.sum(axis=1).mean() < 3


@pytest.mark.parametrize("method", ["split", "cv+", "jackknife+"])
def test_same_seed_same_intervals(method):
    X, y = samples(40)
    model = ConformalRegressor(Ridge(), method, random_state=3)
    first = model.fit(X, y).predict_interval(X)
    assert np.array_equal(first, clone(model).fit(X, y).predict_interval(X))


@parametrize_with_checks(
    [ConformalRegressor(Ridge(), cv=3), ConformalRegressor(Ridge(), "split"), ConformalClassifier(LogisticRegression())]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def spectra(n=60):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 25)).cumsum(axis=1)
    return X, X[:, 12] - X[:, 5] + 0.5 * rng.normal(size=n)


@pytest.mark.parametrize("method", ["cv+", "jackknife+"])
@pytest.mark.parametrize("steps", [(), (SNV(),)], ids=["alone", "pipeline"])
def test_size_chosen_once_gives_what_refits_of_that_size_give(method, steps):
    X, y = spectra()
    pls = PLSRegressionCV(5, random_state=0)
    once = ConformalRegressor(make_pipeline(*steps, pls) if steps else pls, method, choose_once=True).fit(X, y)
    size = (once.estimator_[-1] if steps else once.estimator_).n_components_
    fixed = make_pipeline(*steps, PLSRegression(size, scale=False))
    refits = ConformalRegressor(fixed, method).fit(X, y)
    np.testing.assert_allclose(once.scores_, refits.scores_, atol=1e-8)
    np.testing.assert_allclose(once.predict_interval(X), refits.predict_interval(X), atol=1e-8)
    np.testing.assert_allclose(once.predict(X), refits.predict(X), atol=1e-8)


def test_size_is_chosen_once_for_pls_only():
    with pytest.raises(ValueError, match=r"choose_once=True is for PLSRegressionCV.*is a Ridge"):
        ConformalRegressor(Ridge(), choose_once=True).fit(*spectra())
