"""PLS sized by cross-validation: equal to scikit-learn, rules on data whose truth is known, odd and bad input."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupKFold, KFold, RepeatedKFold, ShuffleSplit
from sklearn.utils.estimator_checks import parametrize_with_checks

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.datasets import load_tablets
from deep_chemometrics.pls import (
    CrossValidation,
    PLSRegressionCV,
    choose_components,
    hotelling_t2,
    q_residuals,
    rmsecv,
    vip,
)

RULES = ("min", "one_se", "randomization")
EXACT = 1e-8  # the same algorithm in float64, values of the order of 1 to 100: only the order of summation differs


def simulated(n=80, p=60, rank=4, noise=0.05, n_targets=1, seed=0):
    """Spectra of `rank` constituents of equal strength, all of which the targets need, and a little noise in both."""
    rng = np.random.default_rng(seed)
    amounts, pure = rng.normal(size=(n, rank)), rng.normal(size=(rank, p))
    X = amounts @ pure + noise * rng.normal(size=(n, p))
    y = amounts @ rng.choice([-1.0, 1.0], size=(rank, n_targets)) + noise * rng.normal(size=(n, n_targets)) + 10
    return X, y[:, 0] if n_targets == 1 else y


@pytest.fixture(scope="module")
def tablets():
    part = load_tablets().where(instrument=1, split="calibrate")
    return np.array(part.X), part.y["assay"].to_numpy()


# -- The contract of scikit-learn ---------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::deep_chemometrics.checks.SpectrumWarning")  # its data sets are small
@parametrize_with_checks([PLSRegressionCV(rule=rule) for rule in RULES])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


# -- Equal to scikit-learn ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_equals_scikit_learn_on_tablets(tablets, rule):
    X, y = tablets
    pls = PLSRegressionCV(rule=rule).fit(X, y)
    reference = PLSRegression(pls.n_components_, scale=False).fit(X, y)
    assert pls.coef_.shape == (1, X.shape[1]) and pls.intercept_.shape == (1,)
    np.testing.assert_allclose(pls.coef_, reference.coef_, rtol=0, atol=EXACT)
    np.testing.assert_allclose(pls.intercept_, reference.intercept_, rtol=0, atol=EXACT)
    np.testing.assert_allclose(pls.predict(X), reference.predict(X), rtol=0, atol=EXACT)
    by_formula = (X - pls.x_mean_) @ pls.coef_.T + pls.intercept_
    np.testing.assert_allclose(pls.predict(X), by_formula[:, 0], rtol=0, atol=EXACT)


def test_equals_scikit_learn_with_two_targets():
    X, y = simulated(n_targets=2)
    pls = PLSRegressionCV(max_components=6).fit(X, y)
    reference = PLSRegression(pls.n_components_, scale=False).fit(X, y)
    assert pls.coef_.shape == (2, X.shape[1]) and pls.predict(X).shape == y.shape
    np.testing.assert_allclose(pls.coef_, reference.coef_, rtol=0, atol=EXACT)
    np.testing.assert_allclose(pls.predict(X), reference.predict(X), rtol=0, atol=EXACT)


def refitted(X, y, folds, n_components):
    """Mean squared errors by fold and squared errors by sample, each size fitted by scikit-learn from scratch."""
    squared, by_fold = np.zeros((len(X), n_components)), np.zeros((len(folds), n_components))
    for i, (train, test) in enumerate(folds):
        for a in range(n_components):
            model = PLSRegression(a + 1, scale=False).fit(X[train], y[train])
            errors = (model.predict(X[test]) - y[test]) ** 2
            squared[test, a] = errors.reshape(len(test), -1).mean(axis=1)
            by_fold[i, a] = squared[test, a].mean()
    return by_fold, squared


@pytest.mark.parametrize("case", ["tablets", "two targets", "more samples than channels"])
def test_every_size_of_cross_validation_equals_refitting(tablets, case):
    X, y = {
        "tablets": tablets,
        "two targets": simulated(n_targets=2),
        "more samples than channels": simulated(n=200, p=12),
    }[case]
    cv = rmsecv(X, y, max_components=12, cv=5, random_state=3)
    folds = list(KFold(5, shuffle=True, random_state=3).split(X))
    by_fold, squared = refitted(X, y, folds, 12)
    # squared errors of up to about 1000 mg2 on the tablets: relative where they are large
    np.testing.assert_allclose(cv.squared_errors, squared, rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(cv.fold_mse, by_fold, rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(cv.rmsecv, np.sqrt(squared.mean(axis=0)), rtol=EXACT, atol=EXACT)
    mse_se = by_fold.std(axis=0, ddof=1) / np.sqrt(5)
    np.testing.assert_allclose(cv.se, mse_se / (2 * cv.rmsecv), rtol=1e-6)


def test_errors_are_pooled_over_samples_not_over_folds():
    X, y = simulated(n=60)
    folds = [(np.arange(5, 60), np.arange(5)), (np.arange(5), np.arange(5, 60))]  # of very unlike size
    with pytest.warns(SpectrumWarning, match="reduced to 4"):
        cv = rmsecv(X, y, cv=folds)
    assert np.allclose(cv.rmsecv**2, (5 * cv.fold_mse[0] + 55 * cv.fold_mse[1]) / 60)
    assert not np.allclose(cv.rmsecv**2, cv.fold_mse.mean(axis=0), rtol=0.1)


# -- The rules ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [1, 3, 5])
@pytest.mark.parametrize("rule", RULES)
def test_known_rank_is_found(rank, rule):
    # so little noise that each constituent stands out, as a component, from it; with more, fewer may be as good
    for seed in range(5):
        X, y = simulated(n=120, rank=rank, noise=0.003, seed=seed)
        assert PLSRegressionCV(max_components=10, rule=rule).fit(X, y).n_components_ == rank


def test_minimum_is_of_the_pooled_curve():
    pls = PLSRegressionCV(max_components=15, rule="min").fit(*simulated(noise=0.5))
    assert pls.n_components_ == pls.rmsecv_.argmin() + 1 and pls.rmsecv_.shape == pls.rmsecv_se_.shape == (15,)


@pytest.mark.parametrize("seed", range(5))
def test_one_standard_error_by_its_definition(seed):
    X, y = simulated(noise=1.0, rank=8, seed=seed)
    cv = rmsecv(X, y, max_components=12, random_state=seed)
    mean = cv.fold_mse.mean(axis=0)
    bound = mean.min() + np.std(cv.fold_mse[:, mean.argmin()], ddof=1) / np.sqrt(len(cv.fold_mse))
    chosen = choose_components(cv, "one_se")
    assert mean[chosen - 1] <= bound and (mean[: chosen - 1] > bound).all()


def test_one_standard_error_is_that_of_the_least():
    level = np.array([-1.0, 0, 1])[:, None]
    fold_mse = np.array([3.0, 2.0]) + level * np.array([5.0, 0.1])  # the smaller model is worse and more uncertain
    cv = CrossValidation(np.sqrt(fold_mse.mean(axis=0)), np.zeros(2), fold_mse, fold_mse)
    assert choose_components(cv, "one_se") == 2


def test_minimum_is_over_samples_where_folds_are_unequal():
    fold_mse = np.array([[9.0, 1.0], [1.0, 2.0]])  # a fold of one sample, and a fold of nine
    squared = np.repeat(fold_mse, [1, 9], axis=0)
    cv = CrossValidation(np.sqrt(squared.mean(axis=0)), np.zeros(2), fold_mse, squared)
    assert choose_components(cv, "min") == 1


def errors(*columns):
    """A cross-validation whose squared errors by sample are given, in folds of one sample."""
    squared = np.column_stack(columns).astype(float)
    return CrossValidation(np.sqrt(squared.mean(axis=0)), np.zeros(squared.shape[1]), squared, squared)


def test_randomization_is_a_paired_test():
    rng = np.random.default_rng(0)
    own = rng.exponential(size=200) * 10  # how hard each sample is: large, but the same for both models
    always_worse = errors(own + 0.2 + 0.1 * rng.normal(size=200), own)
    assert choose_components(always_worse, "randomization") == 2  # seen by pairs, ...
    assert choose_components(always_worse, "one_se") == 1  # ... though far within the spread
    luck = rng.normal(size=200)
    by_luck = errors(own + luck - luck.mean() + 0.01, own)
    assert choose_components(by_luck, "min") == 2 and choose_components(by_luck, "randomization") == 1


def test_randomization_with_few_samples_counts_the_real_signs():
    # 4 samples, all worse: the real signs come up once in 16, so that nothing is significant at 0.01
    assert choose_components(errors([1.1, 1.2, 1.3, 1.4], [1, 1, 1, 1]), "randomization") == 1
    # 20 samples, all worse: once in a million
    assert choose_components(errors(np.linspace(1.1, 1.4, 20), np.ones(20)), "randomization") == 2


def test_randomization_depends_on_its_seed_only():
    rng = np.random.default_rng(3)
    own = rng.exponential(size=60)
    shift = 0.26 * np.ones(60)  # near the level of the test, so that the drawn signs matter
    cv = errors(own + shift + rng.normal(size=60) * 0.75, own)
    found = [choose_components(cv, "randomization", seed) for seed in range(40)]
    assert set(found) == {1, 2}
    assert found == [choose_components(cv, "randomization", seed) for seed in range(40)]


@pytest.mark.parametrize("rule", RULES)
def test_same_random_state_same_model(rule):
    X, y = simulated(noise=0.8)
    one, two = (PLSRegressionCV(rule=rule, random_state=7).fit(X, y) for _ in range(2))
    assert one.n_components_ == two.n_components_
    assert np.array_equal(one.rmsecv_, two.rmsecv_) and np.array_equal(one.coef_, two.coef_)
    other = PLSRegressionCV(rule=rule, random_state=8).fit(X, y)
    assert not np.array_equal(one.rmsecv_, other.rmsecv_)  # other folds


# -- Folds --------------------------------------------------------------------------------------------------------


def test_splitter_is_used_as_given():
    X, y = simulated()
    by_number = rmsecv(X, y, cv=4, random_state=5)
    by_splitter = rmsecv(X, y, cv=KFold(4, shuffle=True, random_state=5))
    assert np.array_equal(by_number.rmsecv, by_splitter.rmsecv)
    assert not np.array_equal(by_number.rmsecv, rmsecv(X, y, cv=KFold(4)).rmsecv)


def test_list_of_folds_keeps_groups_together():
    X, y = simulated()
    X, y, groups = np.repeat(X, 2, axis=0), np.repeat(y, 2), np.repeat(np.arange(len(X)), 2)
    X = X + 0.01 * np.random.default_rng(0).normal(size=X.shape)
    y = np.random.default_rng(1).permutation(80).repeat(2).astype(float)  # nothing to learn, but twins to recognise
    apart = rmsecv(X, y, 60, cv=list(GroupKFold(5).split(X, y, groups)))
    straddling = rmsecv(X, y, 60, cv=5)
    assert apart.rmsecv.min() > 0.9 * y.std() > straddling.rmsecv.min()


def test_samples_tested_twice_or_never():
    X, y = simulated(n=40)
    twice = rmsecv(X, y, 5, cv=RepeatedKFold(n_splits=4, n_repeats=2, random_state=0))
    assert twice.squared_errors.shape == (40, 5) and twice.fold_mse.shape == (8, 5)
    assert np.allclose(twice.rmsecv**2, twice.fold_mse.mean(axis=0))  # folds of equal size: no sample counted double
    once = rmsecv(X, y, 5, cv=ShuffleSplit(n_splits=2, test_size=5, random_state=0))
    assert 5 <= len(once.squared_errors) <= 10 and np.isfinite(once.rmsecv).all()


# -- Odd but finite -----------------------------------------------------------------------------------------------


def test_components_reduced_to_rank():
    X, y = simulated(rank=3, noise=0)
    with pytest.warns(SpectrumWarning, match=r"max_components=20 reduced to 3: .* rank 3"):
        pls = PLSRegressionCV().fit(X, y)
    assert pls.rmsecv_.shape == (3,) and pls.n_components_ == 3
    assert np.abs(pls.predict(X) - y).max() < EXACT  # three constituents, three components, no noise


def test_rank_is_that_of_the_poorest_training_fold():
    X, y = simulated(n=12, p=30)
    X[:9] = X[0]  # one fold trains on nine alike spectra, the other on three different ones
    folds = [(np.arange(9), np.arange(9, 12)), (np.arange(9, 12), np.arange(9))]
    with pytest.warns(SpectrumWarning, match=r"reduced to 1: .* all alike"):
        cv = rmsecv(X, y, cv=folds)
    expected = np.mean((y[9:] - y[:9].mean()) ** 2)  # nine alike spectra predict their mean
    assert np.isclose(cv.fold_mse[0, 0], expected, rtol=1e-12)


@pytest.mark.parametrize("n", [3, 4, 9])
def test_few_samples(n):
    X, y = simulated(n=n)
    with pytest.warns(SpectrumWarning) as caught:
        pls = PLSRegressionCV().fit(X, y)
    said = " ".join(str(w.message) for w in caught)
    assert f"cv=10 folds reduced to {n}" in said and f"max_components=20 reduced to {n - 2}" in said
    assert pls.rmsecv_.shape == (n - 2,) and np.isfinite(pls.predict(X)).all()


def test_one_channel_is_a_straight_line():
    X, y = simulated(p=1, rank=1)
    with pytest.warns(SpectrumWarning, match="reduced to 1"):
        pls = PLSRegressionCV().fit(X, y)
    np.testing.assert_allclose(pls.predict(X), LinearRegression().fit(X, y).predict(X), rtol=0, atol=EXACT)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("value", [0.0, 0.1, 195.37])  # the mean of a fold of 0.1s is not 0.1 to the last digit
def test_constant_target(rule, value):
    X, _ = simulated(n=77)
    with pytest.warns(SpectrumWarning, match="target 0 of y is the same for all samples"):
        pls = PLSRegressionCV(rule=rule).fit(X, np.full(len(X), value))
    assert pls.n_components_ == 1 and (pls.rmsecv_ == 0).all() and (pls.rmsecv_se_ == 0).all()
    np.testing.assert_allclose(pls.predict(X), value, rtol=1e-13)
    assert np.abs(pls.coef_).max() < 1e-13


def test_constant_target_beside_a_varying_one():
    X, y = simulated()
    with pytest.warns(SpectrumWarning, match="target 1 of y"):
        pls = PLSRegressionCV(max_components=6).fit(X, np.column_stack([y, np.full(len(y), 7.3)]))
    np.testing.assert_allclose(pls.predict(X)[:, 1], 7.3, rtol=1e-12)
    assert pls.score(X, np.column_stack([y, pls.predict(X)[:, 1]])) > 0.9


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_spectra_all_alike_predict_the_mean(value):
    _, y = simulated(n=13)
    X = np.full((13, 7), value)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pls = PLSRegressionCV().fit(X, y)
    assert {w.category for w in caught} == {SpectrumWarning} and "all alike" in str(caught[-1].message)
    assert (pls.coef_ == 0).all() and np.allclose(pls.predict(X + np.eye(13, 7)), y.mean())
    for result in (vip(pls), hotelling_t2(pls, X), q_residuals(pls, X)):
        assert np.isfinite(result).all()


def test_target_without_any_covariance_predicts_the_mean():
    X = np.tile([[-1.0], [0.0], [1.0], [0.0]], (6, 1))  # scikit-learn alone divides zero by zero here
    y = np.tile([1.0, -2.0, 1.0, 0.0], 6)
    with pytest.warns(SpectrumWarning, match="reduced to 1"):
        pls = PLSRegressionCV(cv=[(np.arange(12), np.arange(12, 24)), (np.arange(12, 24), np.arange(12))]).fit(X, y)
    assert (pls.predict(X) == y.mean()).all() and np.isclose(pls.rmsecv_[0], y.std())


def test_perfect_fit_needs_no_more_components():
    X = np.random.default_rng(0).normal(size=(40, 6))
    X = np.linalg.qr(X - X.mean(axis=0))[0]  # equal variance in all directions: one component explains all
    y = X @ np.arange(6.0)
    pls = PLSRegressionCV(max_components=5, cv=[(np.arange(40), np.arange(40))] * 2).fit(X, y)
    assert np.abs(pls.predict(X) - y).max() < 1e-12 and (pls.rmsecv_ < 1e-12).all()


@pytest.mark.parametrize("dtype", ["float32", "int16"])
def test_other_number_types(dtype):
    X, y = simulated()
    X = (X * 100).astype(dtype)
    pls = PLSRegressionCV(max_components=6).fit(X, y)
    same = PLSRegressionCV(max_components=6).fit(X.astype("float64"), y)
    assert pls.predict(X).dtype == np.float64 and np.array_equal(pls.coef_, same.coef_)


def test_input_is_left_alone():
    X, y = simulated()
    X0, y0 = X.copy(), y.copy()
    PLSRegressionCV(max_components=5).fit(X, y).predict(X)
    assert np.array_equal(X, X0) and np.array_equal(y, y0)


# -- DataFrames ---------------------------------------------------------------------------------------------------


def test_data_frames():
    X, y = simulated()
    frame = pd.DataFrame(X, columns=[f"{nm} nm" for nm in range(600, 720, 2)], index=np.arange(80)[::-1])
    pls = PLSRegressionCV(max_components=6).fit(frame, pd.Series(y, index=frame.index))
    assert pls.n_features_in_ == 60 and list(pls.feature_names_in_) == list(frame.columns)
    assert pls.predict(frame).shape == (80,)
    same = PLSRegressionCV(max_components=6).fit(X, y)
    np.testing.assert_allclose(pls.predict(frame), same.predict(X), rtol=1e-12)  # a frame is stored column by column
    assert PLSRegressionCV(max_components=6).fit(frame, pd.DataFrame({"assay": y})).predict(frame).shape == (80, 1)
    with pytest.raises(ValueError, match="feature names"):
        pls.predict(frame[frame.columns[::-1]])


# -- Bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit", [rmsecv, PLSRegressionCV().fit])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_named(fit, bad):
    X, y = simulated()
    holed, target = X.copy(), y.copy()
    holed[7, 30], target[5] = bad, bad
    with pytest.raises(ValueError, match="row 7, channel 30"):
        fit(holed, y)
    with pytest.raises(ValueError, match=r"y contains .* row 5"):
        fit(X, target)


def test_nan_is_named_when_predicting():
    X, y = simulated()
    pls = PLSRegressionCV(max_components=4).fit(X, y)
    X[7, 30] = np.nan
    for function in (pls.predict, lambda X: hotelling_t2(pls, X), lambda X: q_residuals(pls, X)):
        with pytest.raises(ValueError, match="row 7, channel 30"):
            function(X)


@pytest.mark.parametrize("fit", [rmsecv, PLSRegressionCV().fit])
def test_wrong_shapes(fit):
    X, y = simulated()
    for wrong_X, wrong_y, words in (
        (X, y[:-1], "79 rows but there are 80 spectra"),
        (X[0], y, "Reshape your data"),
        (X[:0], y[:0], "0 sample"),
        (X[:1], y[:1], "n_samples=1 is too few"),
        (X[:2], y[:2], "n_samples=2 is too few"),
    ):
        with pytest.raises(ValueError, match=words):
            fit(wrong_X, wrong_y)


@pytest.mark.parametrize("setting", [0, -1, 2.5, "many", None, True])
def test_wrong_max_components(setting):
    with pytest.raises(ValueError, match="max_components"):
        PLSRegressionCV(max_components=setting).fit(*simulated())


def test_unknown_rule():
    X, y = simulated()
    with pytest.raises(ValueError, match=r"rule='best' is unknown: choose one of 'min', 'one_se', 'randomization'"):
        PLSRegressionCV(rule="best").fit(X, y)
    with pytest.raises(ValueError, match="rule='best' is unknown"):
        choose_components(rmsecv(X, y, 3), "best")


@pytest.mark.parametrize(
    ("cv", "words"),
    [
        (1, "cv=1 must be an integer of at least 2"),
        (0, "cv=0"),
        (-3, "cv=-3"),
        (True, "cv=True"),
        (None, "cv=None"),
        (5.0, "Expected .?cv.? as an integer"),
        ("ten", "Expected .?cv.? as an integer"),
        (ShuffleSplit(1), "1 fold"),
        ([([0], range(1, 80)), (range(1, 80), [0])], "fold 0 of cv trains on 1"),
        ([(range(80), []), (range(1, 80), [0])], r"fold 0 of cv trains on 80 and tests on 0 of n_samples=80"),
    ],
)
def test_wrong_cv(cv, words):
    with pytest.raises(ValueError, match=words):
        PLSRegressionCV(cv=cv).fit(*simulated())


# -- What a fitted model tells ------------------------------------------------------------------------------------


def test_vip_by_its_definition():
    X, y = simulated(n_targets=2)
    pls = PLSRegression(3, scale=False).fit(X, y)
    total, weighted = 0, np.zeros(X.shape[1])
    for a in range(3):
        t = pls.x_scores_[:, a]
        centred = y - y.mean(axis=0)
        explained = sum((t @ centred[:, j]) ** 2 / (t @ t) for j in range(2))  # the scores are uncorrelated
        total += explained
        weighted += explained * (pls.x_weights_[:, a] / np.linalg.norm(pls.x_weights_[:, a])) ** 2
    np.testing.assert_allclose(vip(pls), np.sqrt(X.shape[1] * weighted / total), rtol=1e-10)


def test_vip_finds_the_channels_that_matter():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 20))
    pls = PLSRegressionCV(max_components=5).fit(X, X[:, 3] - X[:, 11])
    assert set(np.argsort(vip(pls))[-2:]) == {3, 11} and (vip(pls) > 2).sum() == 2


def test_hotelling_t2_by_its_definition():
    X, y = simulated()
    pls = PLSRegression(3, scale=False).fit(X, y)
    scores = pls.transform(X)
    inverse = np.linalg.inv(np.cov(scores.T))  # the textbook's Mahalanobis distance in the scores
    expected = np.einsum("ij,jk,ik->i", scores, inverse, scores)
    np.testing.assert_allclose(hotelling_t2(pls, X), expected, rtol=1e-8)
    assert np.allclose(hotelling_t2(pls, X.mean(axis=0)[None]), 0, atol=1e-20)


def test_q_residuals_by_their_definition():
    X, y = simulated()
    pls = PLSRegression(3, scale=False).fit(X, y)
    centred = X - X.mean(axis=0)
    expected = np.sum((centred - pls.transform(X) @ pls.x_loadings_.T) ** 2, axis=1)
    np.testing.assert_allclose(q_residuals(pls, X), expected, rtol=1e-8)
    # a spectrum outside of all loadings and weights has no score, and comes out in full
    outside = np.linalg.svd(np.vstack([pls.x_loadings_.T, pls.x_weights_.T]))[2][-1]
    assert np.isclose(q_residuals(pls, X.mean(axis=0)[None] + 3 * outside)[0], 9)


def test_diagnostics_take_both_kinds_of_model():
    X, y = simulated()
    ours = PLSRegressionCV(max_components=6).fit(X, y)
    for function in (lambda m: vip(m), lambda m: hotelling_t2(m, X), lambda m: q_residuals(m, X)):
        assert np.array_equal(function(ours), function(ours.pls_))


@pytest.mark.parametrize("function", [vip, lambda m: hotelling_t2(m, np.eye(3)), lambda m: q_residuals(m, np.eye(3))])
def test_diagnostics_want_a_fitted_pls(function):
    with pytest.raises(ValueError, match="pls is a LinearRegression"):
        function(LinearRegression())
    for unfitted in (PLSRegressionCV(), PLSRegression()):
        with pytest.raises(NotFittedError):
            function(unfitted)


def test_diagnostics_want_the_right_channels():
    X, y = simulated()
    pls = PLSRegression(3, scale=False).fit(X, y)
    for function in (hotelling_t2, q_residuals):
        with pytest.raises(ValueError, match="59 channels, but 60 are expected"):
            function(pls, X[:, :-1])
