"""What a calibration looks at, and its limits: against process-improve, chemotools, published numbers, algebra.

Simulated spectra have a known truth. The published numbers are those that mdatools (version 0.15, R) keeps in its
tests, computed there with the functions `residuallimit` and `tsqlim` of PLS_Toolbox (MATLAB) for its data set People:
32 persons, 12 variables, autoscaled, principal components. Of the data only the eigenvalues of the correlation matrix
are needed here; they were computed with numpy from mdatools' People.csv, and any data with these eigenvalues will do.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from chemotools.outliers import HotellingT2, Leverage, QResiduals
from process_improve.multivariate.methods import PLS as OtherPLS
from process_improve.multivariate.methods import hotellings_t2_limit, spe_calculation
from process_improve.multivariate.methods import selectivity_ratio as other_selectivity_ratio
from process_improve.multivariate.methods import vip as other_vip
from scipy import stats
from sklearn.cross_decomposition import PLSRegression
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, root_mean_squared_error
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deep_chemometrics import plotting
from deep_chemometrics.calibration import (
    PLSDA,
    PLSRegressionCV,
    calibration_report,
    error_report,
    hotelling_t2,
    q_residuals,
    selectivity_ratio,
    vip,
)
from deep_chemometrics.calibration.diagnostics import distances, explained_variance, q_limit, score_radii, t2_limit
from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import SpectralDataset, load_tablets

EXACT = 1e-9  # the same formula in float64 on values of the order of one: only the order of summation differs


def simulated(n=80, p=40, rank=3, noise=0.05, n_targets=1, seed=0, pure_seed=0):
    """Spectra of `rank` constituents that the targets need all, and normal noise; `pure_seed`: the pure ones."""
    rng, pure_rng = np.random.default_rng(seed), np.random.default_rng(pure_seed)
    pure, effect = pure_rng.normal(size=(rank, p)), pure_rng.choice([-1.0, 1.0], size=(rank, n_targets))
    amounts = rng.normal(size=(n, rank))
    X = amounts @ pure + noise * rng.normal(size=(n, p))
    y = amounts @ effect + noise * rng.normal(size=(n, n_targets)) + 10
    return X, y[:, 0] if n_targets == 1 else y


def fitted(X, y, n_components=3, scale=False):
    return PLSRegression(n_components, scale=scale).fit(X, y)


def with_eigenvalues(eigenvalues, n, seed=0):
    """Centred data (n, p) whose covariance matrix has exactly these eigenvalues."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(n, len(eigenvalues)))
    left = np.linalg.qr(noise - noise.mean(axis=0))[0]
    right = np.linalg.qr(rng.normal(size=(len(eigenvalues), len(eigenvalues))))[0]
    return left * np.sqrt((n - 1) * np.asarray(eigenvalues)) @ right.T


def principal(X, n_components):
    """A PLS model of the first principal components: its target is the sum of their scores, each of another size."""
    left, _, _ = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    return fitted(X, left[:, :n_components].sum(axis=1), n_components)


@pytest.fixture(scope="module")
def tablets():
    part = load_tablets().where(instrument=1, role="test")
    return np.array(part.X), part.y["assay"].to_numpy()


# -- Selectivity ratio, VIP ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [False, True])
def test_selectivity_ratio_and_vip_agree_with_process_improve(scale):
    X, y = simulated()
    X = (X - X.mean(axis=0)) * np.linspace(0.5, 2, X.shape[1])  # channels of unlike spread; it wants centred data
    y = y - y.mean()
    other = OtherPLS(n_components=3, scale=scale).fit(pd.DataFrame(X), pd.DataFrame(y))
    ours = fitted(X, y, scale=scale)
    np.testing.assert_allclose(vip(ours), other_vip(other), rtol=1e-6)  # it iterates until nothing moves by 1e-6 or so
    np.testing.assert_allclose(selectivity_ratio(ours, X), other_selectivity_ratio(other, X), rtol=1e-5)


def test_selectivity_ratio_is_that_of_the_correlation_with_the_prediction(tablets):
    X, y = tablets
    pls = fitted(X, y, 8)
    r = np.array([np.corrcoef(channel, pls.predict(X))[0, 1] for channel in X.T])
    np.testing.assert_allclose(selectivity_ratio(pls, X), r**2 / (1 - r**2), rtol=1e-6)


def test_selectivity_ratio_peaks_at_the_pure_band_where_the_regression_vector_is_large_elsewhere():
    rng = np.random.default_rng(1)
    channels = np.arange(120)
    wanted, hidden, free = (np.exp(-0.5 * ((channels - centre) / 6) ** 2) for centre in (30, 42, 90))
    amounts = rng.uniform(size=(100, 2)) * [1, 4]
    X = amounts @ np.array([wanted, hidden + free]) + 0.01 * rng.normal(size=(100, 120))
    pls = fitted(X, amounts[:, 0], 2)
    ratio = selectivity_ratio(pls, X)
    assert 15 <= ratio.argmax() <= 30, "on the band of the wanted substance, where the other does not cover it"
    assert ratio[75:].max() < 0.2 < 5 < ratio.max()
    assert pls.coef_[0].argmin() in range(84, 97), "the most negative coefficient where the substance absorbs nothing"


def test_selectivity_ratio_of_several_targets_is_one_row_each():
    X, y = simulated(n_targets=2)
    pls = fitted(X, y)
    ratio = selectivity_ratio(pls, X)
    assert ratio.shape == (2, X.shape[1])
    r = np.corrcoef(X[:, 7], pls.predict(X)[:, 1])[0, 1]
    assert np.isclose(ratio[1, 7], r**2 / (1 - r**2))


def test_selectivity_ratio_does_not_depend_on_the_unit():
    X, y = simulated()
    ratio = selectivity_ratio(fitted(X, y), X)
    np.testing.assert_allclose(selectivity_ratio(fitted(1000 * X, 7 * y), 1000 * X), ratio, rtol=1e-6)


def test_selectivity_ratio_of_a_single_channel_is_finite_and_says_so():
    X, y = simulated(p=1, rank=1)
    with pytest.warns(SpectrumWarning, match="channel 0 of X"):
        ratio = selectivity_ratio(fitted(X, y, 1), X)
    assert np.isfinite(ratio).all() and ratio[0] > 1e12


def test_selectivity_ratio_is_zero_where_nothing_varies():
    X, y = simulated()
    X[:, 5] = 3.7
    assert selectivity_ratio(fitted(X, y), X)[5] == 0
    with pytest.warns(SpectrumWarning, match="same for all samples"):
        constant = PLSRegressionCV(max_components=3).fit(X, np.full(len(X), 4.0))
    assert not selectivity_ratio(constant, X).any()


# -- Explained variance -------------------------------------------------------------------------------------------


def test_explained_variance_agrees_with_process_improve():
    for n_targets, tolerance in ((1, 1e-6), (2, 2e-4)):  # with two it iterates, and stops early
        X, y = simulated(n_targets=n_targets)
        X, y = X - X.mean(axis=0), np.reshape(y - y.mean(axis=0), (len(X), -1))
        y /= np.sqrt(np.sum(y**2, axis=0))  # it pools the targets: of equal size, the pool is their mean
        other = OtherPLS(n_components=3, scale=False).fit(pd.DataFrame(X), pd.DataFrame(y))
        table = explained_variance(fitted(X, y), X, pd.DataFrame(y, columns=["fat", "water"][:n_targets]))
        ours = table.iloc[:, 3::2].mean(axis=1)
        np.testing.assert_allclose(ours, other.r2_cumulative_, rtol=tolerance)


def test_explained_variance_is_that_of_smaller_models(tablets):
    X, y = tablets
    table = explained_variance(fitted(X, y, 6), X, y)
    assert list(table.columns) == ["X", "X cumulative", "y", "y cumulative"] and list(table.index) == [1, 2, 3, 4, 5, 6]
    total = np.sum((X - X.mean(axis=0)) ** 2)
    for a in (1, 4, 6):
        smaller = fitted(X, y, a)
        assert np.isclose(table.loc[a, "y cumulative"], r2_score(y, smaller.predict(X)), atol=EXACT)
        assert np.isclose(table.loc[a, "X cumulative"], 1 - q_residuals(smaller, X).sum() / total, atol=EXACT)
    np.testing.assert_allclose(table["X"].cumsum(), table["X cumulative"])


def test_explained_variance_of_other_spectra_can_be_negative():
    X, y = simulated(n=15, noise=1.0)
    new, new_y = simulated(n=200, noise=1.0, seed=1)
    pls = fitted(X, y, 8)
    assert (explained_variance(pls, X, y) >= 0).all(axis=None)
    table = explained_variance(pls, new, new_y)
    assert (table["y"] < 0).any() and np.isfinite(table).all(axis=None)


def test_explained_variance_names_targets_and_allows_constants():
    X, y = simulated(n_targets=2)
    table = explained_variance(fitted(X, y), X, pd.DataFrame(y, columns=["fat", "water"]))
    assert list(table.columns)[2:] == ["fat", "fat cumulative", "water", "water cumulative"]
    assert "fat" in explained_variance(fitted(X, y[:, 0]), X, pd.Series(y[:, 0], name="fat"))
    with pytest.warns(SpectrumWarning):
        constant = PLSRegressionCV(max_components=2).fit(X, np.full(len(X), 4.0))
    assert not explained_variance(constant, X, np.full(len(X), 4.0))["y"].any()


# -- Limits -------------------------------------------------------------------------------------------------------

PEOPLE = [
    6.429691844, 2.242550718, 1.617699043, 0.9979879761, 0.3186599778, 0.1652287711,
    0.09939306354, 0.05499396552, 0.02744887858, 0.02413924613, 0.01519924909, 0.007007265922,
]  # fmt: skip
PEOPLE_Q = {  # residuallimit, Jackson and Mudholkar, 1 to 11 components
    0.95: [13.98208375, 8.91523789, 4.86682122, 1.81125667, 0.98188720, 0.57560902, 0.32312846, 0.18598893,
           0.12950361, 0.06958773, 0.02625457],
    0.90: [11.08714606, 6.88643872, 3.62417784, 1.41387882, 0.77404080, 0.45201939, 0.25555116, 0.14863431,
           0.09998945, 0.05180038, 0.01849205],
}  # fmt: skip
PEOPLE_T2 = {  # tsqlim, 1 to 11 components
    0.95: [4.15961510, 6.85271430, 9.40913034, 12.01947857, 14.76453307, 17.69939358, 20.87303997, 24.33584211,
           28.14388532, 32.36253393, 37.07020868],
    0.90: [2.87478394, 5.14334644, 7.32156708, 9.55303105, 11.90044572, 14.40708180, 17.11153965, 20.05346964,
           23.27685391, 26.83267841, 30.78172763],
}  # fmt: skip


@pytest.mark.parametrize("level", [0.95, 0.90])
def test_limits_are_the_published_ones_of_mdatools(level):
    X = with_eigenvalues(PEOPLE, 32)
    for a in range(1, 12):
        # PLS finds the last principal components only as far as rounding lets it: there the tolerance is wider
        pls = principal(X, a)
        assert np.isclose(q_limit(pls, X, level), PEOPLE_Q[level][a - 1], rtol=1e-6), a
        # tsqlim leaves out that the mean was estimated: the factor (n + 1) / n of a new sample
        assert np.isclose(t2_limit(pls, level), PEOPLE_T2[level][a - 1] * 33 / 32, rtol=1e-8), a


def test_limits_agree_with_chemotools(tablets):
    X, y = tablets[0][:, ::4], tablets[1]  # a quarter of the channels: it decomposes their covariance matrix
    for a in (2, 4):  # with more components h0 turns negative here, and chemotools' formula loses its sign
        pls = fitted(X, y, a)
        theirs = QResiduals(pls, confidence=0.95, method="jackson-mudholkar").fit(X)
        assert np.isclose(q_limit(pls, X), theirs.critical_value_, rtol=1e-6)
        np.testing.assert_allclose(q_residuals(pls, X), theirs.predict_residuals(X), rtol=1e-6)
        theirs = HotellingT2(pls, confidence=0.95).fit(X)
        n = len(X)
        assert np.isclose(t2_limit(pls), theirs.critical_value_ * (n + 1) / n)  # as above
        ours = hotelling_t2(pls, X) * n / (n - 1)  # its variance is that with ddof=0
        np.testing.assert_allclose(ours, theirs.predict_residuals(X), rtol=1e-6)


@pytest.mark.parametrize(("n", "a", "level"), [(30, 1, 0.95), (30, 5, 0.99), (200, 8, 0.9)])
def test_t2_limit_agrees_with_process_improve(n, a, level):
    pls = fitted(*simulated(n=n, rank=10), a)
    assert np.isclose(t2_limit(pls, level), hotellings_t2_limit(level, a, n), rtol=1e-12)
    two = hotellings_t2_limit(level, 2, n)
    np.testing.assert_allclose(score_radii(pls, level), np.sqrt(two) * pls.x_scores_.std(axis=0, ddof=1))


def test_chi2_limit_of_q_agrees_with_process_improve(tablets):
    X, y = tablets
    pls = fitted(X, y, 6)
    for level in (0.9, 0.95, 0.99):
        theirs = spe_calculation(np.sqrt(q_residuals(pls, X)), level) ** 2
        assert np.isclose(q_limit(pls, X, level, "chi2"), theirs, rtol=1e-10)


def test_limits_are_broken_as_often_as_they_promise():
    X, y = simulated(n=2000)
    new = simulated(n=20_000, seed=1)[0]
    pls = fitted(X, y)
    for level in (0.9, 0.95, 0.99):
        # the shares of 20,000 have a standard error of 0.2 %, and the limits are estimated, too
        assert abs(np.mean(hotelling_t2(pls, new) > t2_limit(pls, level)) - (1 - level)) < 0.02
        for method in ("jackson_mudholkar", "chi2"):
            assert abs(np.mean(q_residuals(pls, new) > q_limit(pls, X, level, method)) - (1 - level)) < 0.02
        own = np.mean(hotelling_t2(pls, X) > t2_limit(pls, level, kind="training"))
        assert abs(own - (1 - level)) < 0.02


def test_limit_from_few_training_spectra_is_too_tight_and_good_spectra_not_fitted_repair_it():
    X, y = simulated(n=15)
    good, new = simulated(n=500, seed=1)[0], simulated(n=5000, seed=2)[0]
    pls = fitted(X, y)
    q = q_residuals(pls, new)
    assert np.mean(q > q_limit(pls, X)) > 0.15
    assert abs(np.mean(q > q_limit(pls, good)) - 0.05) < 0.02


def test_training_limit_of_t2_by_simulation_of_one_variable():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(20_000, 10))
    t2 = (values - values.mean(axis=1, keepdims=True)) ** 2 / values.var(axis=1, ddof=1, keepdims=True)
    pls = fitted(values[:1].T, values[0], 1)
    assert abs(np.mean(t2 > t2_limit(pls, 0.95, kind="training")) - 0.05) < 0.003
    assert t2.max() <= 9**2 / 10


def test_jackson_mudholkar_stays_near_the_simulated_limit_where_h0_is_negative():
    eigenvalues = np.concatenate([[1.0], np.full(40, 1e-2)])  # h0 = 0.07
    tail = np.concatenate([[1.0], np.full(199, 1e-2)])  # h0 = -0.92
    rng = np.random.default_rng(0)
    for values in (eigenvalues, tail):
        first = 10 * values.sum()
        X = with_eigenvalues([first, *values], 300)
        pls = principal(X, 1)
        truth = np.quantile(rng.normal(size=(50_000, len(values))) ** 2 @ values, 0.95)
        assert abs(q_limit(pls, X) / truth - 1) < 0.05  # both approximate


@pytest.mark.parametrize("unit", [1e-60, 1e-3, 1e60])
def test_limits_of_q_carry_the_squared_unit(unit):
    X, y = simulated()
    for method in ("jackson_mudholkar", "chi2"):
        limit = q_limit(fitted(X, y), X, method=method)
        assert np.isclose(q_limit(fitted(unit * X, y), unit * X, method=method) / unit**2, limit, rtol=1e-6)


def test_more_channels_than_spectra_and_the_reverse_give_the_same_limit():
    X, y = simulated(n=60, p=30)
    padded = np.hstack([X, np.zeros((60, 50))])
    assert np.isclose(q_limit(fitted(X, y), X), q_limit(fitted(padded, y), padded), rtol=1e-8)


# -- Degenerate models --------------------------------------------------------------------------------------------


def test_a_model_that_describes_everything_has_a_limit_of_rounding():
    X, y = simulated(p=3)
    pls = fitted(X, y, 3)
    for method in ("jackson_mudholkar", "chi2"):
        with pytest.warns(SpectrumWarning, match="up to rounding"):
            limit = q_limit(pls, X, method=method)
        assert 0 < limit < 1e-20 and np.all(q_residuals(pls, X) <= limit)


def test_equal_q_gives_that_q():
    X = np.array([[-1.0, 1.0], [-1.0, -1.0], [1.0, 1.0], [1.0, -1.0]])
    pls = fitted(X, X[:, 0], 1)
    assert np.isclose(q_limit(pls, X, method="chi2"), 1.0)


def test_as_many_components_as_freedom():
    X, y = simulated(n=6, p=40)
    pls = fitted(X, y, 5)
    assert np.isclose(t2_limit(pls, kind="training"), 25 / 6) and np.isfinite(t2_limit(pls))
    np.testing.assert_allclose(hotelling_t2(pls, X), 25 / 6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn says that nothing is left for the third
        with pytest.raises(ValueError, match="more samples than components"):
            t2_limit(fitted(X[:3], y[:3]))


def test_constant_target_gives_finite_distances():
    X, _ = simulated()
    with pytest.warns(SpectrumWarning):
        pls = PLSRegressionCV(max_components=3).fit(X, np.ones(len(X)))
    table = distances(pls, X, X)
    assert np.isfinite(table.drop(columns="flag")).all(axis=None) and not table["T2"].any()


# -- Table of distances -------------------------------------------------------------------------------------------


def test_distances_flag_what_exceeds_its_limit():
    X, y = simulated(n=200)
    pls = PLSRegressionCV(max_components=5).fit(X, y)
    far = X.mean(axis=0) + 20 * (X[0] - X.mean(axis=0))  # along the model
    strange = X[1] + np.random.default_rng(5).normal(size=X.shape[1])  # beside it
    table = distances(pls, np.array([X.mean(axis=0), far, strange]), X)
    assert table["flag"][0] == "" and "T2" in table["flag"][1] and "Q" in table["flag"][2]
    assert list(table.columns) == ["T2", "T2 limit", "Q", "Q limit", "leverage", "flag"]
    assert table["T2 limit"].eq(t2_limit(pls)).all() and table["Q limit"].eq(q_limit(pls, X)).all()


def test_classes_have_distances_and_selectivity_ratios_too():
    X, y = simulated()
    plsda = PLSDA(max_components=3).fit(X, np.where(y > 10, "more", "less"))
    assert (distances(plsda, X, X, kind="training")["flag"] == "").mean() > 0.8
    ratio = selectivity_ratio(plsda, X)
    assert ratio.shape == (2, X.shape[1])
    np.testing.assert_allclose(ratio[0], ratio[1], rtol=1e-6)  # the two columns are each other's complement


def test_leverage_is_the_diagonal_of_the_hat_matrix(tablets):
    X, y = tablets
    pls = fitted(X, y, 5)
    design = np.column_stack([np.ones(len(X)), pls.x_scores_])
    hat = design @ np.linalg.pinv(design)
    np.testing.assert_allclose(distances(pls, X, X)["leverage"], np.diag(hat), atol=EXACT)
    theirs = Leverage(pls).fit(X).predict_residuals(X)  # without the mean
    np.testing.assert_allclose(distances(pls, X, X)["leverage"] - 1 / len(X), theirs, atol=1e-7)


def test_every_tablet_of_the_other_instrument_is_noticed():
    ds = load_tablets()
    train = ds.where(instrument=1, role="train")
    pls = PLSRegressionCV().fit(train.X, train.y["assay"])
    flags = {i: distances(pls, ds.where(instrument=i, role="test").X, train.X)["flag"] for i in (1, 2)}
    assert (flags[1] == "").mean() > 0.8 and (flags[2] == "T2, Q").all()


# -- Errors -------------------------------------------------------------------------------------------------------


def test_error_report_agrees_with_scikit_learn_and_algebra():
    rng = np.random.default_rng(0)
    y = rng.normal(50, 10, 70)
    predicted = 0.9 * y + 3 + rng.normal(size=70)
    report = error_report(y, predicted)
    assert np.isclose(report["RMSE"], root_mean_squared_error(y, predicted), rtol=1e-12)
    assert np.isclose(report["R2"], r2_score(y, predicted), rtol=1e-12)
    assert np.isclose(report["RMSE"] ** 2, report["bias"] ** 2 + 69 / 70 * report["SEP"] ** 2)
    assert np.isclose(report["bias"], predicted.mean() - y.mean()), "positive where too much is predicted"
    line = stats.linregress(predicted, y)
    assert np.isclose(report["slope"], line.slope) and np.isclose(report["intercept"], line.intercept)
    assert np.isclose(report["RPD"], y.std(ddof=1) / report["RMSE"])
    assert np.isclose(report["RPIQ"], stats.iqr(y) / report["RMSE"]) and report["n"] == 70


def test_slope_and_intercept_correct_a_distorted_prediction():
    y = np.linspace(0, 10, 20)
    report = error_report(y, (y - 3) / 2)
    assert np.isclose(report["slope"], 2) and np.isclose(report["intercept"], 3)


def test_reference_error_is_subtracted_from_the_squared_error():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=20_000)
    measured, predicted = truth + 0.3 * rng.normal(size=20_000), truth + 0.4 * rng.normal(size=20_000)
    report = error_report(measured, predicted, reference_error=0.3)
    assert abs(report["RMSE"] - 0.5) < 0.01 and abs(report["RMSE corrected"] - 0.4) < 0.01
    assert error_report([1, 2], [1, 2.1], reference_error=5)["RMSE corrected"] == 0


def test_error_report_of_degenerate_values_is_as_documented():
    with pytest.warns(SpectrumWarning, match="all reference values are equal"):
        report = error_report([2.0, 2.0], [1.0, 4.0])
    assert report["R2"] == report["RPD"] == report["RPIQ"] == 0 and np.isfinite(report).all()
    perfect = error_report([1, 2, 3], [1, 2, 3])
    assert perfect["R2"] == 1 and perfect["RPD"] == perfect["RPIQ"] == np.inf and perfect["slope"] == 1
    constant = error_report([1, 2, 3], [2, 2, 2])
    assert constant["slope"] == 0 and constant["intercept"] == 2 and constant["R2"] == 0


@pytest.mark.parametrize(
    ("y", "predicted", "message"),
    [
        ([1.0], [1.0], "needs 2"),
        ([1.0, 2.0], [1.0], "2 rows"),
        ([1.0, np.nan], [1.0, 2.0], "contains NaN"),
        ([1.0, 2.0], [1.0, np.inf], "predicted contains infinity"),
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]], "one target at a time"),
        (3.0, 3.0, "shape"),
    ],
)
def test_error_report_refuses(y, predicted, message):
    with pytest.raises(ValueError, match=message):
        error_report(y, predicted)


# -- The report ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sets():
    def part(seed, n):
        X, y = simulated(n=n, seed=seed, noise=0.3)
        return SpectralDataset(X, {"fat": y}, axis=np.arange(40.0))

    return part(0, 60), {"a": part(1, 30), "b": part(2, 40)}


def test_report_of_a_calibration(sets):
    train, evaluations = sets
    pls = PLSRegressionCV(max_components=5).fit(train.X, train.y["fat"])
    table = calibration_report(pls, train, evaluations, cv=KFold(5), reference_error=0.1)
    assert list(table.index) == ["training", "cross-validation", "nested cross-validation", "a", "b"]
    assert list(table["error"]) == ["RMSEC", "RMSECV", "RMSECV", "RMSEP", "RMSEP"]
    assert list(table["n"]) == [60, 60, 60, 30, 40]
    y = train.y["fat"].to_numpy()
    assert np.isclose(table.loc["training", "RMSE"], root_mean_squared_error(y, pls.predict(train.X)))
    assert table.loc["cross-validation", "RMSE"] == pls.rmsecv_[pls.n_components_ - 1]
    assert np.isclose(table.loc["cross-validation", "R2"], 1 - (table.loc["cross-validation", "RMSE"] / y.std()) ** 2)
    assert table["RMSE corrected"].isna().tolist() == [True, True, False, False, False]
    left_out = np.empty(60)
    for fit, test in KFold(5).split(train.X):
        left_out[test] = PLSRegressionCV(max_components=5).fit(train.X[fit], y[fit]).predict(train.X[test])
    assert np.isclose(table.loc["nested cross-validation", "SEP"], np.std(left_out - y, ddof=1))
    b = evaluations["b"]
    expected = error_report(b.y["fat"], pls.predict(b.X), 0.1)
    pd.testing.assert_series_equal(table.loc["b"].drop("error").astype(float), expected, check_names=False)


def test_report_takes_arrays_pipelines_and_any_regressor(sets):
    train, evaluations = sets
    X, y = train.X, train.y["fat"].to_numpy()
    pipeline = make_pipeline(StandardScaler(), PLSRegressionCV(max_components=5)).fit(X, y)
    table = calibration_report(pipeline, (X, y), {"a": (evaluations["a"].X, evaluations["a"].y)})
    assert table.loc["cross-validation", "RMSE"] == pipeline[-1].rmsecv_[pipeline[-1].n_components_ - 1]
    ridge = Ridge().fit(X, y)
    assert list(calibration_report(ridge, (X, y)).index) == ["training"]
    assert "nested cross-validation" in calibration_report(ridge, (X, y), cv=3, groups=np.arange(60) // 2).index


@pytest.mark.parametrize("n", [2, 3, 10, 151])
def test_squared_rmse_is_squared_bias_plus_its_share_of_squared_sep(n):
    """The SEP has n - 1 in its denominator, the RMSE n: RMSE^2 = bias^2 + (n - 1) / n SEP^2."""
    rng = np.random.default_rng(n)
    y = rng.normal(size=n)
    report = error_report(y, y + 0.3 + rng.normal(size=n))
    assert np.isclose(report["RMSE"] ** 2, report["bias"] ** 2 + (n - 1) / n * report["SEP"] ** 2, rtol=1e-12)


def test_report_of_one_of_several_targets():
    X, y = simulated(n_targets=2, noise=0.3)
    ds = SpectralDataset(X, pd.DataFrame(y, columns=["fat", "water"]), axis=np.arange(40.0))
    both = PLSRegressionCV(max_components=5).fit(X, y)
    table = calibration_report(both, ds, target="water", cv=4)
    assert list(table.index) == ["training", "nested cross-validation"], "its RMSECV pools both targets"
    assert np.isclose(table.loc["training", "RMSE"], root_mean_squared_error(y[:, 1], both.predict(X)[:, 1]))
    one = PLSRegressionCV(max_components=5).fit(X, y[:, 1])
    assert "cross-validation" in calibration_report(one, ds, target="water").index
    with pytest.raises(ValueError, match="choose one by target"):
        calibration_report(one, ds)
    with pytest.raises(ValueError, match="target='salt' is unknown: y has 'fat', 'water'"):
        calibration_report(one, ds, target="salt")


def test_report_refuses_missing_reference_values(sets):
    train, _ = sets
    pls = PLSRegressionCV(max_components=3).fit(train.X, train.y["fat"])
    missing = train.y["fat"].to_numpy().copy()
    missing[3] = np.nan
    with pytest.raises(ValueError, match="NaN: first at row 3"):
        calibration_report(pls, train, {"a": (train.X, missing)})


# -- Bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda pls, X: selectivity_ratio(pls, X),
        lambda pls, X: explained_variance(pls, X, np.arange(len(X))),
        lambda pls, X: q_limit(pls, X),
        lambda pls, X: distances(pls, X, X),
        lambda pls, X: t2_limit(pls),
        lambda pls, X: score_radii(pls),
    ],
)
def test_a_model_that_is_not_a_fitted_pls_is_refused(function):
    X, y = simulated()
    for wrong in (Ridge().fit(X, y), PLSRegressionCV(), make_pipeline(StandardScaler(), fitted(X, y)), None):
        with pytest.raises(ValueError, match="give a fitted PLSRegression"):
            function(wrong, X)
    with pytest.raises(NotFittedError):
        function(PLSRegression(), X)


def test_bad_spectra_and_options_are_refused():
    X, y = simulated()
    pls = fitted(X, y)
    bad = X.copy()
    bad[4, 2] = np.nan
    for function in (selectivity_ratio, q_limit, lambda pls, X: explained_variance(pls, X, y)):
        with pytest.raises(ValueError, match="row 4, channel 2"):
            function(pls, bad)
        with pytest.raises(ValueError, match="39 channels, but 40 are expected"):
            function(pls, X[:, :39])
    for level in (0, 1, 95, -0.1, np.nan, "high", True):
        for function in (t2_limit, lambda pls, level: q_limit(pls, X, level), score_radii):
            with pytest.raises(ValueError, match="level="):
                function(pls, level)
    with pytest.raises(ValueError, match="kind='old' is unknown: choose one of 'new', 'training'"):
        t2_limit(pls, kind="old")
    with pytest.raises(ValueError, match="method='box' is unknown"):
        q_limit(pls, X, method="box")
    with pytest.raises(ValueError, match="minimum of 3"):
        q_limit(pls, X[:2])
    with pytest.raises(ValueError, match="2 targets, but the model has 1"):
        explained_variance(pls, X, np.ones((80, 2)))


# -- Figures ------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def no_figures_left():
    yield
    plt.close("all")


def test_coefficients_and_loadings_keep_the_habits_of_the_field():
    axis = np.linspace(600, 4000, 50)
    ax = plotting.plot_coefficients(np.sin(axis), axis, "wavenumber", "cm-1", ylabel="VIP", level=1)
    assert ax.get_xlim() == (4000, 600) and ax.get_xlabel() == "wavenumber / cm$^{-1}$" and ax.get_ylabel() == "VIP"
    assert list(ax.lines[1].get_ydata()) == [1, 1]
    ax = plotting.plot_loadings(np.ones((50, 3)), axis=axis)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["component 1", "component 2", "component 3"]
    with pytest.raises(ValueError, match="2 entries, but there are 1 lines"):
        plotting.plot_coefficients(np.ones(50), labels=["a", "b"])
    with pytest.raises(ValueError, match="50 channels"):
        plotting.plot_coefficients(np.ones(50), axis[:-1])


def test_scores_are_drawn_with_their_ellipse():
    scores = np.random.default_rng(0).normal(size=(30, 3))
    ax = plotting.plot_scores(scores, (3, 1), radii=[1, 2, 3])
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), scores[:, [2, 0]])
    assert (ax.patches[0].width, ax.patches[0].height) == (6, 2) and ax.get_xlabel() == "score on component 3"
    assert ax.get_xlim()[1] > 3, "the whole ellipse is in view"
    ax = plotting.plot_scores(scores, color_by=["a", "b"] * 15, label="class")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["class a", "class b"]
    for components in ((1, 4), (0, 1)):
        with pytest.raises(ValueError, match="components"):
            plotting.plot_scores(scores, components)


def test_explained_variance_is_cumulated():
    ax = plotting.plot_explained_variance({"X": [0.5, 0.3], "y": [0.1, 0.7]})
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [10, 80])
    assert [bar.get_height() for bar in ax.patches] == [50, 30, 10, 70]
    with pytest.raises(ValueError, match="each is empty"):
        plotting.plot_explained_variance({})
    with pytest.raises(ValueError, match=r"each\['y'\] has 1 rows"):
        plotting.plot_explained_variance({"X": [0.5, 0.3], "y": [0.1]})


def test_influence_numbers_the_furthest_rows():
    t2, q = np.array([1.0, 9.0, 2.0, 1.0]), np.array([1.0, 1.0, 30.0, 11.0])
    ax = plotting.plot_influence(t2, q, 8, 10, annotate=2)
    assert [text.get_text() for text in ax.texts] == ["2", "1"], "three times its limit, then 1.125 times"
    assert ax.get_xscale() == ax.get_yscale() == "log" and len(ax.lines) == 2
    ax = plotting.plot_influence(t2, np.zeros(4), label="rounding", unit="")
    assert ax.get_yscale() == "linear" and ax.get_ylabel() == "Q residual" and not ax.texts
    with pytest.raises(ValueError, match="q has 3 rows"):
        plotting.plot_influence(t2, q[:3])
