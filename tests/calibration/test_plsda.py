"""PLS discriminant analysis: classes that are known, by hand from its parts, groups, odd and bad input."""

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold

from deep_chemometrics.calibration import PLSDA, rmsecv
from deep_chemometrics.checks import SpectrumWarning

EXACT = 1e-8  # the same algorithm in float64, values of the order of 1 to 100: only the order of summation differs


def kinds(n=90, apart=3.0, names=("a", "b", "c"), noise=0.3, seed=0):
    """Spectra of one kind for each name: their amounts of two constituents differ by `apart` and scatter by 1."""
    rng = np.random.default_rng(seed)
    centres = apart * np.array([[0, 0], [1, 0], [0, 1], [1, 1]], float)[: len(names)]
    kind = rng.permutation(np.arange(n) % len(names))
    amounts = centres[kind] + rng.normal(size=(n, 2))
    pure = rng.normal(size=(2, 40))
    return amounts @ pure + noise * rng.normal(size=(n, 40)) + 5, np.array(names)[kind]


def test_plsda_tells_separate_classes_apart():
    X, y = kinds(n=180, apart=12.0)
    model = PLSDA().fit(X[:90], y[:90])
    assert model.score(X[90:], y[90:]) == 1 and list(model.classes_) == ["a", "b", "c"] and model.n_components_ == 2
    assert model.predict_proba(X[90:]).max(axis=1).min() > 0.99


def test_plsda_is_as_good_as_overlapping_classes_allow():
    """Two classes of unit scatter, two apart: the best possible rule is right in Phi(1) = 84 % of the cases."""
    X, y = kinds(n=2400, apart=2.0, names=("a", "b"))
    model = PLSDA(max_components=5).fit(X[:400], y[:400])
    assert 0.81 < model.score(X[400:], y[400:]) < 0.87  # standard error with 2000 tested: 0.8 %
    certainty = model.predict_proba(X[400:]).max(axis=1).mean()
    assert abs(certainty - model.score(X[400:], y[400:])) < 0.03  # as sure of itself as it is right


@pytest.mark.parametrize("names", [("a", "b", "c"), (3, 1, 7), (False, True), ("no", "yes"), (-1, 1), tuple("dcba")])
def test_plsda_takes_any_names(names):
    X, y = kinds(names=names)
    model = PLSDA(max_components=4).fit(X, y)
    assert list(model.classes_) == sorted(names) and model.predict(X).dtype == y.dtype
    probability = model.predict_proba(X)
    assert probability.shape == (90, len(names)) and probability.min() >= 0
    np.testing.assert_allclose(probability.sum(axis=1), 1, rtol=1e-12)
    assert (model.predict(X) == model.classes_[probability.argmax(axis=1)]).all()
    numbers = PLSDA(max_components=4).fit(X, np.searchsorted(sorted(names), y))
    np.testing.assert_allclose(numbers.predict_proba(X), probability, rtol=1e-12)


@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c")])
def test_plsda_by_hand(names, scale):
    X, y = kinds(names=names)
    model = PLSDA(max_components=4, scale=scale).fit(X, y)
    columns = (y[:, None] == np.array(names)).astype(float)
    # scikit-learn, iterated until nothing changes: kernel PLS solves the same problem directly
    pls = PLSRegression(model.n_components_, scale=scale, tol=1e-20, max_iter=20_000).fit(X, columns)
    lda = LinearDiscriminantAnalysis().fit(pls.transform(X), y)
    np.testing.assert_allclose(model.predict_proba(X), lda.predict_proba(pls.transform(X)), rtol=0, atol=EXACT)
    by_fold = rmsecv(X, columns, 4, cv=list(StratifiedKFold(10, shuffle=True, random_state=0).split(X, y)), scale=scale)
    np.testing.assert_allclose(model.rmsecv_, by_fold.rmsecv, rtol=EXACT)


def test_plsda_of_spectra_all_alike_knows_only_how_frequent_classes_are():
    y = np.repeat(["a", "b"], [30, 10])
    with pytest.warns(SpectrumWarning, match="all alike"):
        model = PLSDA().fit(np.full((40, 6), 0.1), y)
    np.testing.assert_allclose(model.predict_proba(np.eye(3, 6)), [[0.75, 0.25]] * 3)
    assert (model.predict(np.eye(3, 6)) == "a").all()


def test_plsda_of_one_channel():
    X, y = kinds(apart=12.0, names=("a", "b"))
    with pytest.warns(SpectrumWarning, match="max_components=20 reduced to 1"):
        assert PLSDA().fit(X[:, :1], y).score(X[:, :1], y) > 0.5


def test_plsda_keeps_groups_together(seen_folds):
    X, y = kinds(n=60)
    X[:, 0] = groups = np.arange(60) // 3
    PLSDA(max_components=3, cv=5).fit(X, y, groups=groups)
    assert len(seen_folds) == 5 and not any(set(fit[:, 0]) & set(left[:, 0]) for fit, left in seen_folds)
    with pytest.raises(ValueError, match="groups has shape"):
        PLSDA().fit(X, y, groups=groups[1:])


def test_plsda_folds_hold_all_classes(seen_folds):
    X, y = kinds(n=60)
    X[:, 0] = rare = np.arange(60) < 8
    PLSDA(max_components=3, cv=4).fit(X, np.where(rare, "rare", y))
    assert [int(left[:, 0].sum()) for _, left in seen_folds] == [2] * 4


def test_plsda_class_smaller_than_folds():
    X, y = kinds(n=60)
    with pytest.warns(SpectrumWarning, match="cv=10 folds reduced to 3: class 'rare' has no more samples"):
        model = PLSDA(max_components=3).fit(X, np.where(np.arange(60) < 3, "rare", y))
    assert "rare" in model.classes_
    with pytest.raises(ValueError, match="class 'rare' has 1 sample"):
        PLSDA().fit(X, np.where(np.arange(60) < 1, "rare", y))


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (["a"] * 90, "y has one class only, 'a'"),
        ([3] * 90, "y has one class only, 3:"),
        (np.linspace(0, 1, 90), "Unknown label type: continuous"),
        (["a", "b"] * 44, "inconsistent numbers of samples"),
        (np.where(np.arange(90) < 3, np.nan, np.arange(90) % 2), "contains NaN"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")  # scikit-learn looking at NaN
def test_plsda_of_wrong_classes(y, words):
    with pytest.raises(ValueError, match=words):
        PLSDA().fit(kinds()[0], y)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"rule": "best"}, "rule='best' is unknown"),
        ({"max_components": 0}, "max_components"),
        ({"cv": 1}, "cv=1"),
        ({"cv": True}, "cv=True"),
        ({"cv": None}, "cv=None"),
    ],
)
def test_plsda_of_wrong_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        PLSDA(**settings).fit(*kinds())
