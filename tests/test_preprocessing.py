"""Scatter correction: scikit-learn's contract, independent implementations, invariances, odd and bad input."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from chemotools.derivative import SavitzkyGolay as TheirSavitzkyGolay
from chemotools.scatter import (
    ExtendedMultiplicativeScatterCorrection,
    MultiplicativeScatterCorrection,
    StandardNormalVariate,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.datasets import load_tablets
from deep_chemometrics.preprocessing import EMSC, MSC, SNV, GlobalScaler, SavitzkyGolay

ALL = [SNV(), MSC(), EMSC(order=-1), EMSC(order=0), EMSC(order=2), EMSC(order=5), SavitzkyGolay(), GlobalScaler()]
SCATTER = [SNV(), MSC(), EMSC(order=1), EMSC(order=2)]
EXACT = 1e-10  # float64, absorbances up to 6: the same algebra, another order of summation

ids = pytest.mark.parametrize("method", ALL, ids=str)


@pytest.fixture(scope="module")
def X():
    return load_tablets().where(instrument=1, split="test").X


def quietly(function, *args):
    """The result of a call during which nothing may warn, numpy included."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function(*args)


# -- The contract of scikit-learn ---------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::deep_chemometrics.checks.SpectrumWarning")  # its data sets are tiny
@parametrize_with_checks(ALL)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@ids
def test_frames_clones_and_pickles(method, X):
    frame = pd.DataFrame(X[:20], columns=[f"{w} nm" for w in range(X.shape[1])], index=np.arange(100, 120))
    fitted = clone(method).set_output(transform="pandas").fit(frame)
    out = fitted.transform(frame)
    assert list(out.columns) == list(frame.columns) and list(out.index) == list(frame.index)
    again = pickle.loads(pickle.dumps(fitted)).transform(frame)
    pd.testing.assert_frame_equal(out, again)
    with pytest.raises(ValueError, match="feature names"):
        fitted.transform(frame.rename(columns={"0 nm": "wrong"}))


def test_searched_in_a_pipeline(X):
    y = load_tablets().where(instrument=1, split="test").y["assay"]
    search = GridSearchCV(make_pipeline(EMSC(), Ridge(1e-3)), {"emsc__order": [0, 1, 2]}, cv=3).fit(X, y)
    assert search.best_score_ > 0.9  # R² of the assay; 0 would be the mean


# -- Against independent implementations --------------------------------------------------------------------------


def test_msc_is_that_of_chemotools(X):
    assert np.abs(MSC().fit_transform(X) - MultiplicativeScatterCorrection().fit_transform(X)).max() < EXACT


@pytest.mark.parametrize("order", range(6))
def test_emsc_is_that_of_chemotools(X, order):
    theirs = ExtendedMultiplicativeScatterCorrection(order=order).fit_transform(X)
    assert np.abs(EMSC(order=order).fit_transform(X) - theirs).max() < EXACT


def test_snv_and_savitzky_golay_are_those_of_chemotools(X):
    assert np.abs(SNV().fit_transform(X) - StandardNormalVariate().fit_transform(X)).max() < EXACT
    for deriv in range(3):
        theirs = TheirSavitzkyGolay(window_length=15, polyorder=2, deriv=deriv, mode="interp").fit_transform(X)
        assert np.abs(SavitzkyGolay(15, 2, deriv=deriv).fit_transform(X) - theirs).max() < EXACT
        ours = SavitzkyGolay(15, 2, deriv=deriv, delta=2).fit_transform(X)
        assert np.allclose(ours, theirs / 2**deriv, atol=EXACT)


@pytest.mark.parametrize("order", range(-1, 6))
def test_emsc_is_least_squares_spectrum_by_spectrum(X, order):
    axis = np.sort(np.random.default_rng(0).uniform(600, 1800, X.shape[1]))  # uneven: the axis must be used
    emsc = EMSC(order=order, axis=axis).fit(X)
    t = 2 * (axis - axis[0]) / (axis[-1] - axis[0]) - 1
    M = np.column_stack([X.mean(axis=0), *(t**k for k in range(order + 1))])
    a, *c = np.linalg.lstsq(M, X.T, rcond=None)[0]
    baseline = sum((np.outer(ck, t**k) for k, ck in enumerate(c)), np.zeros_like(X))
    assert np.abs(emsc.transform(X) - (X - baseline) / a[:, None]).max() < EXACT
    assert np.allclose(emsc.coefficients(X), np.column_stack([a, *c]), atol=1e-9)


def test_global_scaler_is_one_mean_and_one_deviation(X):
    scaler = GlobalScaler().fit(X)
    assert np.isclose(scaler.mean_, X.mean(), rtol=1e-12) and np.isclose(scaler.scale_, X.std(), rtol=1e-12)


# -- What must not matter, does not -------------------------------------------------------------------------------

number = st.floats(-5, 5).map(lambda v: round(v, 3))
positive = st.floats(0.05, 20).map(lambda v: round(v, 3))


def spectra(seed, n=4, p=60):
    return np.random.default_rng(seed).normal(size=(n, p)).cumsum(axis=1) / 5 + 2


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6), offset=number, gain=positive)
def test_snv_is_blind_to_offset_and_positive_gain(seed, offset, gain):
    X = spectra(seed)
    snv = SNV().fit(X)
    assert np.allclose(snv.transform(gain * X + offset), snv.transform(X), atol=1e-8)
    assert np.allclose(snv.transform(-gain * X), -snv.transform(X), atol=1e-8), "a negative gain turns it over"


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6), offset=number, gain=positive, sign=st.sampled_from([-1, 1]))
def test_msc_is_blind_to_offset_and_any_gain(seed, offset, gain, sign):
    X = spectra(seed)
    msc = MSC().fit(X)
    if np.abs(msc.coefficients(X)[:, 0]).min() > 0.05:  # a gain near zero would blow rounding errors up
        assert np.allclose(msc.transform(sign * gain * X + offset), msc.transform(X), atol=1e-7)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6), order=st.integers(0, 5), gain=positive)
def test_emsc_removes_every_polynomial_of_its_order(seed, order, gain):
    X = spectra(seed)
    emsc, t = EMSC(order=order).fit(X), np.linspace(-1, 1, X.shape[1])
    polynomial = np.polynomial.Polynomial(np.random.default_rng(seed).normal(size=order + 1))(t)
    if np.abs(emsc.coefficients(X)[:, 0]).min() > 0.05:
        assert np.allclose(emsc.transform(gain * X + polynomial), emsc.transform(X), atol=1e-7)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6), which=st.sampled_from(range(len(SCATTER))))
def test_correcting_twice_is_correcting_once(seed, which):
    X = spectra(seed)
    fitted = clone(SCATTER[which]).fit(X)
    if isinstance(fitted, SNV) or np.abs(fitted.coefficients(X)[:, 0]).min() > 0.05:
        once = fitted.transform(X)
        assert np.allclose(fitted.transform(once), once, atol=1e-7)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10**6), offset=number, gain=positive)
def test_global_scaler_comes_back(seed, offset, gain):
    X = gain * spectra(seed) + offset
    scaler = GlobalScaler().fit(X)
    assert np.allclose(scaler.inverse_transform(scaler.transform(X)), X, rtol=1e-10, atol=1e-10)


@ids
def test_float32_and_float64_agree(method, X):
    double, single = clone(method).fit_transform(X), clone(method).fit_transform(X.astype(np.float32))
    assert single.dtype == np.float32
    # input rounded to 24 bits (1e-7 of values near 6), reference and output likewise: some 1e-6; order 5 amplifies
    assert np.allclose(single, double, atol=2e-5)


@ids
@pytest.mark.parametrize("n", [1, 2, 1023, 1024, 1025, 2050])
def test_rows_do_not_depend_on_their_company(method, X, n):
    fitted = clone(method).fit(X)
    many = np.resize(X, (n, X.shape[1]))
    # a matrix product may be blocked in another way for another number of rows: rounding, no more
    assert np.allclose(fitted.transform(many)[[0, -1]], fitted.transform(many[[0, -1]]), rtol=0, atol=1e-12)


# -- Odd but finite: a documented result and a warning that names the rows -----------------------------------------


@pytest.mark.parametrize("value", [0.0, 2.0, 0.1, -3.7, 1e8, 1e-8])
@pytest.mark.parametrize("method", SCATTER, ids=str)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_constant_spectrum_becomes_zero_and_is_named(method, value, dtype, X):
    odd = X[:6].astype(dtype)
    odd[[2, 4]] = value
    fitted = clone(method).fit(X.astype(dtype))
    with pytest.warns(SpectrumWarning, match="rows 2, 4 "):
        out = fitted.transform(odd)
    rounding = 100 * np.finfo(dtype).eps * max(1.0, abs(value))
    assert np.abs(out[[2, 4]]).max() <= rounding
    assert np.allclose(out[[0, 1, 3, 5]], fitted.transform(odd[[0, 1, 3, 5]]), atol=1e-5)


def test_line_has_nothing_of_the_reference_for_emsc_1(X):
    line = np.linspace(1, 2, X.shape[1])[None]
    with pytest.warns(SpectrumWarning, match="row 0"):
        out = EMSC(order=1).fit(X).transform(line)
    assert np.abs(out).max() < 1e-10


@pytest.mark.parametrize("method", [MSC, lambda reference: EMSC(2, reference)])
def test_reference_without_variation(method, X):
    with pytest.warns(SpectrumWarning, match="no variation"):
        fitted = method(reference=np.full(X.shape[1], 3.0)).fit(X)
    out = quietly(fitted.transform, X)
    assert np.isfinite(out).all() and np.allclose(out.mean(axis=1), 0, atol=1e-10), "baseline removed"
    assert out.std() > 0.01, "not scaled away"


@pytest.mark.parametrize("p", [1, 2, 3])
@pytest.mark.parametrize("order", range(5))
def test_fewer_channels_than_unknowns_is_finite(order, p):
    X = np.random.default_rng(0).normal(size=(5, p))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SpectrumWarning)
        assert np.isfinite(EMSC(order).fit(X).transform(X)).all()


@ids
def test_one_sample_integers_and_lists(method, X):
    whole = np.round(100 * X[:3]).astype(int)
    fitted = clone(method).fit(whole)
    out = fitted.transform(whole)
    assert out.dtype == np.float64 and np.isfinite(out).all()
    assert np.allclose(out, clone(method).fit(whole.tolist()).transform(whole.astype(float).tolist()))
    assert np.isfinite(clone(method).fit(X[:1]).transform(X[:1])).all()


def test_global_scaler_of_a_constant():
    with pytest.warns(SpectrumWarning, match="all training values are the same"):
        assert np.abs(GlobalScaler().fit_transform(np.full((3, 5), 0.1))).max() < 1e-15


def test_default_window_shrinks_and_a_wrong_one_is_refused():
    assert [SavitzkyGolay().fit(np.ones((2, p))).window_length_ for p in (1, 2, 3, 14, 15, 16)] == [1, 1, 3, 13, 15, 15]
    for window, degree in ((4, 2), (2, 1), (11, 2), (3, 3)):
        with pytest.raises(ValueError, match="window_length"):
            SavitzkyGolay(window, degree).fit(np.ones((2, 10)))


# -- Bad input ----------------------------------------------------------------------------------------------------


@ids
@pytest.mark.parametrize("bad, kind", [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
def test_where_a_value_is_missing(method, bad, kind, X):
    odd = X[:9].copy()
    odd[5, 17] = odd[7, 3] = bad
    fitted = clone(method).fit(X)
    for function in (clone(method).fit, fitted.transform):
        with pytest.raises(ValueError, match=f"{kind}: first at row 5, channel 17; 2 of 9 rows"):
            quietly(function, odd)


def test_infinities_of_both_signs_and_huge_values_do_not_confuse_the_check():
    odd = np.ones((3, 4))
    odd[1, 1], odd[1, 2] = np.inf, -np.inf
    with pytest.raises(ValueError, match="row 1, channel 1"):
        quietly(SNV().fit, odd)
    quietly(SNV().fit, np.full((3, 4), 1e308))


@ids
def test_wrong_shapes(method, X):
    fitted = clone(method).fit(X)
    for wrong, words in ((X[0], "Reshape"), (X[:0], "0 sample"), (X[:, :0], "0 feature"), (X[None], "dim 3")):
        with pytest.raises(ValueError, match=words):
            clone(method).fit(wrong)
    with pytest.raises(ValueError, match="597 features"):
        fitted.transform(X[:, 1:])


@pytest.mark.parametrize(
    "wrong, words",
    [
        (EMSC(order=-2), "order=-2"),
        (EMSC(order=1.5), "order=1.5"),
        (EMSC(reference=np.ones(5)), "reference has 5 channels"),
        (EMSC(reference=np.full(597, np.nan)), "reference contains NaN"),
        (MSC(reference=np.ones((2, 597))), "one spectrum"),
        (EMSC(axis=np.arange(5)), "axis has shape"),
        (EMSC(axis=np.arange(597)[::-1]), "must ascend"),
        (SavitzkyGolay(delta=0), "delta=0"),
        (SavitzkyGolay(delta=np.nan), "delta=nan"),
        (SavitzkyGolay(polyorder=-1), "polyorder"),
        (SavitzkyGolay(deriv=0.5), "deriv"),
    ],
)
def test_wrong_parameters(wrong, words, X):
    with pytest.raises(ValueError, match=words):
        wrong.fit(X)
