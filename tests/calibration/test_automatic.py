"""AutoPLS and AutoRidge: the choice of a grid search over preprocessings and sizes, and its predictions."""

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, PredefinedSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from deep_chemometrics.calibration import AutoPLS, AutoRidge
from deep_chemometrics.calibration.automatic import preprocessing_bank
from deep_chemometrics.data import load_meat
from deep_chemometrics.preprocessing import SNV, SavitzkyGolay

FOLDS = KFold(4, shuffle=True, random_state=3)
BANK = {
    "none": FunctionTransformer(),
    "SNV": SNV(),
    "derivative": SavitzkyGolay(9, 2, 1),
    "SNV, derivative": make_pipeline(SNV(), SavitzkyGolay(9, 2, 1)),
}


@pytest.fixture(scope="module")
def meat():
    ds = load_meat()
    ds = ds[~ds.samples["group"].duplicated()]
    return np.array(ds.X), ds.y[["fat", "protein"]].to_numpy()


@parametrize_with_checks([AutoPLS(3), AutoRidge(n_directions=10)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def searched(X, y, model, grid, bank=BANK):
    """scikit-learn's grid search over the same preprocessings and sizes: RMSECV (preprocessings, sizes), and itself."""
    steps = Pipeline([("preprocessing", None), ("model", model)])
    grid = {"preprocessing": list(bank.values()), **grid}
    search = GridSearchCV(steps, grid, cv=FOLDS, scoring="neg_mean_squared_error").fit(X, y)
    # pooled over samples, as here: folds of equal size only
    mse = -search.cv_results_["mean_test_score"]
    return np.sqrt(
        [mse[[p is step for p in search.cv_results_["param_preprocessing"]]] for step in bank.values()]
    ), search


def test_pls_chooses_and_predicts_as_a_grid_search(meat):
    X, y = meat[0][:160], meat[1][:160, 0]
    errors, search = searched(X, y, PLSRegression(scale=False), {"model__n_components": range(1, 9)})
    model = AutoPLS(8, BANK, cv=FOLDS).fit(X, y)
    np.testing.assert_allclose(model.rmsecv_[0].to_numpy(), errors, rtol=1e-7)
    best = search.best_params_
    assert BANK[model.preprocessing_[0]] is best["preprocessing"]
    assert model.n_components_ == [best["model__n_components"]]
    np.testing.assert_allclose(model.predict(meat[0]), search.predict(meat[0]).ravel(), rtol=1e-6)


@pytest.mark.parametrize("wide", [False, True], ids=["more samples", "more channels"])
def test_ridge_chooses_and_predicts_as_a_grid_search(meat, wide):
    X, y = meat[0][:160], meat[1][:160, 1]
    if wide:
        X, y = X[:40], y[:40]
    relative = np.logspace(-6, 0, 7)
    model = AutoRidge(relative, BANK, cv=FOLDS, n_directions=200).fit(X, y)
    for name, step in BANK.items():
        Z = step.fit_transform(X)
        size = np.mean(np.sum((Z - Z.mean(axis=0)) ** 2, axis=1))
        ridge = Ridge(solver="svd")
        errors, _ = searched(X, y, ridge, {"model__alpha": relative * size}, {name: step})
        np.testing.assert_allclose(model.rmsecv_[0].loc[name], errors[0], rtol=1e-6)
        if name == model.preprocessing_[0]:
            place = list(relative).index(model.penalty_[0])
            exact = Ridge(alpha=relative[place] * size, solver="svd").fit(Z, y)
            np.testing.assert_allclose(model.predict(X), exact.predict(Z), rtol=1e-6)


def test_forty_directions_are_enough(meat):
    """At the penalty that is chosen, and at all larger ones."""
    X, y = meat[0], meat[1][:, 0]
    few = AutoRidge(cv=FOLDS).fit(X, y)
    all_of_them = AutoRidge(cv=FOLDS, n_directions=100).fit(X, y)
    assert few.preprocessing_ == all_of_them.preprocessing_
    assert few.penalty_ == all_of_them.penalty_
    np.testing.assert_allclose(few.predict(X), all_of_them.predict(X), rtol=1e-3)


def test_targets_are_calibrated_one_by_one(meat):
    X, Y = meat
    for model in (AutoPLS(6, BANK), AutoRidge(preprocessings=BANK)):
        both = model.fit(X, Y).predict(X)
        assert both.shape == Y.shape
        for j in range(2):
            np.testing.assert_allclose(both[:, j], model.fit(X, Y[:, j]).predict(X), rtol=1e-9)


def test_groups_stay_in_one_fold(meat):
    X, Y = meat
    groups = np.arange(len(X)) // 4
    folds = list(GroupKFold(5, shuffle=True, random_state=0).split(X, Y, groups))
    number = np.zeros(len(X), dtype=int)
    for i, (_, test) in enumerate(folds):
        number[test] = i
    grouped = AutoPLS(5, BANK).fit(X, Y[:, 0], groups=groups)
    expected = AutoPLS(5, BANK, cv=PredefinedSplit(number)).fit(X, Y[:, 0])
    np.testing.assert_allclose(grouped.rmsecv_[0], expected.rmsecv_[0])


def test_the_derivative_is_chosen_where_it_is_needed():
    """A baseline of random height and slope hides the band."""
    rng = np.random.default_rng(0)
    axis = np.linspace(-1, 1, 80)
    content = rng.uniform(1, 2, 90)
    band = np.exp(-((axis - 0.2) ** 2) / 0.01)
    X = content[:, None] * band + 5 * rng.normal(size=(90, 1)) + 5 * rng.normal(size=(90, 1)) * axis
    X += 1e-3 * rng.normal(size=X.shape)
    model = AutoPLS(1).fit(X[:60], content[:60])
    assert model.preprocessing_[0].startswith("derivative 2")
    assert np.sqrt(np.mean((model.predict(X[60:]) - content[60:]) ** 2)) < 0.01


@pytest.mark.parametrize("model", [AutoPLS(8), AutoRidge()], ids=["PLS", "ridge"])
class TestUnusualInput:
    def test_constant_target_is_predicted_exactly(self, model):
        X = np.random.default_rng(0).normal(size=(30, 50)).cumsum(axis=1)
        assert np.array_equal(model.fit(X, np.full(30, 3.7)).predict(X), np.full(30, 3.7))

    def test_spectra_that_are_all_alike_predict_the_mean(self, model):
        X = np.tile(np.arange(9.0), (8, 1))
        y = np.arange(8.0)
        np.testing.assert_allclose(model.fit(X, y).predict(X), 3.5)

    @pytest.mark.parametrize("n_channels", [1, 2, 8])
    def test_few_channels(self, model, n_channels):
        X = np.random.default_rng(0).normal(size=(20, n_channels))
        np.testing.assert_allclose(model.fit(X, 2 * X[:, 0] + 1).predict(X), 2 * X[:, 0] + 1, atol=1e-3)

    @pytest.mark.parametrize("unit", [1e-30, 1e30])
    def test_units_do_not_matter(self, model, meat, unit):
        X, y = meat[0], meat[1][:, 0]
        expected = model.fit(X, y).predict(X)
        np.testing.assert_allclose(model.fit(X * unit, y).predict(X * unit), expected, rtol=1e-3)

    def test_too_few_samples(self, model):
        with pytest.raises(ValueError, match="cross-validation needs 3"):
            model.fit(np.eye(2), [1.0, 2.0])

    def test_preprocessing_that_spoils_spectra_is_named(self, model):
        spoilt = type(model)(preprocessings={"logarithm": FunctionTransformer(np.log)})
        with np.errstate(all="ignore"), pytest.raises(ValueError, match="X after logarithm"):
            spoilt.fit(-np.ones((9, 4)) - np.eye(9, 4), np.arange(9.0))


@pytest.mark.parametrize("bank", [{}, [SNV()], "SNV"])
def test_bad_bank(bank):
    with pytest.raises(ValueError, match="preprocessings must be a dictionary"):
        AutoPLS(preprocessings=bank).fit(np.eye(9), np.arange(9.0))


@pytest.mark.parametrize("penalties", [[], [0.0], [-1.0], [np.nan], [[1.0]]])
def test_bad_penalties(penalties):
    with pytest.raises(ValueError, match="penalties must be"):
        AutoRidge(penalties).fit(np.eye(9), np.arange(9.0))


@pytest.mark.parametrize("model", [AutoPLS(0), AutoRidge(n_directions=0)])
def test_bad_sizes(model):
    with pytest.raises(ValueError, match=r"max_components|n_directions"):
        model.fit(np.eye(9), np.arange(9.0))


def test_windows_longer_than_the_spectrum_are_left_out():
    assert list(preprocessing_bank(2)) == ["none"]
    assert len(preprocessing_bank(7)) == 5
    assert len(preprocessing_bank(100)) == 20
