"""Scatter correction, smoothing, scaling: equal to independent implementations, invariances, unusual parameters.

The contract for degenerate input, and scikit-learn's, is in test_contract.py.
"""

import warnings

import numpy as np
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

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import load_meat, load_soil
from deep_chemometrics.preprocessing import EMSC, MSC, SNV, GlobalScaler, SavitzkyGolay

ALL = [SNV(), MSC(), EMSC(order=-1), EMSC(order=0), EMSC(order=2), EMSC(order=5), SavitzkyGolay(), GlobalScaler()]
NAMES = [str(transformer) for transformer in ALL]
LINEAR = 1e-10  # float64, values near 5, least squares of a condition number below 1e4: rounding is some 1e-12


def bands(n=12, p=40, seed=0):
    """Smooth spectra with bands of their own, so that no two have the same shape."""
    rng, t = np.random.default_rng(seed), np.linspace(0, 1, p)
    centres, widths = rng.uniform(0.1, 0.9, (n, 3, 1)), rng.uniform(0.03, 0.2, (n, 3, 1))
    return (rng.uniform(0.2, 1, (n, 3, 1)) * np.exp(-(((t - centres) / widths) ** 2))).sum(axis=1) + 1


# -- Parameters -------------------------------------------------------------------------------------------------------


def test_parameters_of_clones():
    reference, axis = np.arange(5.0) ** 2, np.arange(5.0)
    copy = clone(EMSC(order=3, reference=reference, axis=axis))
    assert copy.order == 3 and np.array_equal(copy.reference, reference) and np.array_equal(copy.axis, axis)
    assert MSC().get_params() == {"reference": None}
    with pytest.raises(ValueError, match="order"):
        MSC().set_params(order=2)


def test_grid_search_over_orders():
    rng = np.random.default_rng(0)
    content, t = rng.uniform(0, 1, 60), np.linspace(-1, 1, 50)
    X = 1 + np.exp(-((t / 0.1) ** 2)) + content[:, None] * np.exp(-(((t - 0.5) / 0.1) ** 2))
    X = X + rng.normal(size=(60, 1)) + rng.normal(size=(60, 1)) * t + rng.normal(size=(60, 1)) * t**2  # needs order 2
    search = GridSearchCV(make_pipeline(EMSC(), Ridge(1e-6)), {"emsc__order": [0, 1, 2]}, cv=3).fit(X, content)
    assert search.best_params_ == {"emsc__order": 2} and search.best_score_ > 0.99


# -- Equal to an independent implementation ------------------------------------------------------------------------


def largest_difference(ours, theirs, X, X_new):
    """Fitted on the same spectra, applied to all: on both instruments."""
    return np.abs(ours.fit(X).transform(X_new) - theirs.fit(X).transform(X_new)).max()


def test_msc_equals_chemotools(train, tablets):
    found = largest_difference(MSC(), MultiplicativeScatterCorrection(), train, tablets)
    print(f"largest difference: {found:.1e}")  # pytest -s shows it
    assert found < LINEAR


@pytest.mark.parametrize("order", range(6))
def test_emsc_equals_chemotools(train, tablets, order):
    # the same axis from -1 to 1; theirs always along the channel numbers, ours here along a grid of equal steps
    found = largest_difference(EMSC(order), ExtendedMultiplicativeScatterCorrection(order=order), train, tablets)
    print(f"largest difference: {found:.1e}")  # pytest -s shows it
    assert found < LINEAR


def test_emsc_with_reference_equals_chemotools(train, tablets):
    theirs = ExtendedMultiplicativeScatterCorrection(order=2, reference=tablets[700])
    assert largest_difference(EMSC(reference=tablets[700]), theirs, train, tablets) < LINEAR


def test_snv_equals_chemotools(train, tablets):
    assert largest_difference(SNV(), StandardNormalVariate(), train, tablets) < 1e-12  # both with ddof=0


@pytest.mark.parametrize("deriv", [0, 1, 2])
def test_savitzky_golay_equals_chemotools(train, tablets, deriv):
    # theirs repeats the outermost value beyond the ends by default and knows no distance of channels
    ours = SavitzkyGolay(15, 3, deriv, delta=2.0)
    theirs = TheirSavitzkyGolay(window_length=15, polyorder=3, deriv=deriv, mode="interp")
    expected = theirs.fit(train).transform(tablets) / 2.0**deriv
    np.testing.assert_allclose(ours.fit(train).transform(tablets), expected, rtol=0, atol=1e-12)


@pytest.fixture(scope="module", params=["soil", "meat"])
def other_spectra(request):
    """Mid-infrared absorbances of soils (500, 1701), near-infrared ones of meat (215, 100)."""
    return np.array({"soil": load_soil, "meat": load_meat}[request.param]().X)


def test_all_equal_chemotools_on_soil_and_meat(other_spectra):
    pairs = {
        "SNV": (SNV(), StandardNormalVariate()),
        "MSC": (MSC(), MultiplicativeScatterCorrection()),
        "EMSC 1": (EMSC(1), ExtendedMultiplicativeScatterCorrection(order=1)),
        "EMSC 2": (EMSC(2), ExtendedMultiplicativeScatterCorrection(order=2)),
        "EMSC 4": (EMSC(4), ExtendedMultiplicativeScatterCorrection(order=4)),
        "slope": (SavitzkyGolay(9, 2, 1), TheirSavitzkyGolay(window_length=9, polyorder=2, deriv=1, mode="interp")),
    }
    found = {name: largest_difference(*pair, other_spectra[::3], other_spectra) for name, pair in pairs.items()}
    print({name: f"{difference:.1e}" for name, difference in found.items()})  # pytest -s shows it
    assert max(found.values()) < LINEAR


@pytest.mark.parametrize("order", [-1, 0, 2, 4])
def test_emsc_is_least_squares_on_soil_and_meat(other_spectra, order):
    X = other_spectra
    emsc = EMSC(order, weights=np.linspace(0.1, 3, X.shape[1]), interferents=X[3] - X[4]).fit(X[::3])
    expected, coefficients = by_least_squares(emsc, X)
    np.testing.assert_allclose(emsc.transform(X), expected, rtol=0, atol=LINEAR)
    np.testing.assert_allclose(emsc.coefficients(X), coefficients, rtol=1e-8, atol=LINEAR)


# -- Equal to the definition ---------------------------------------------------------------------------------------


def by_least_squares(emsc, X):
    """Corrected spectra and coefficients by numpy's least squares, rows of the system multiplied by sqrt(weight)."""
    root = np.ones(X.shape[1]) if emsc.weights is None else np.sqrt(emsc.weights)
    A = np.column_stack([emsc.reference_, emsc.terms_])
    coefficients = np.linalg.lstsq(A * root[:, None], (X * root).T, rcond=None)[0].T
    return (X - coefficients[:, 1:] @ A[:, 1:].T) / coefficients[:, :1], coefficients


@pytest.mark.parametrize("order", range(-1, 6))
def test_emsc_is_least_squares(train, tablets, order):
    emsc = EMSC(order).fit(train)
    t = np.linspace(-1, 1, 597)
    A = np.column_stack([train.mean(axis=0), *(t**k for k in range(order + 1))])
    for i in range(0, len(tablets), 100):
        coefficients = np.linalg.lstsq(A, tablets[i], rcond=None)[0]
        expected = (tablets[i] - A[:, 1:] @ coefficients[1:]) / coefficients[0]
        assert np.abs(emsc.transform(tablets[i : i + 1])[0] - expected).max() < LINEAR
        np.testing.assert_allclose(emsc.coefficients(tablets[i : i + 1])[0], coefficients, rtol=0, atol=LINEAR)


def test_emsc_along_an_axis_of_unequal_steps(train):
    axis = np.linspace(600, 1792, 597) ** 1.5  # as wavenumbers made of wavelengths are
    t = 2 * (axis - axis[0]) / (axis[-1] - axis[0]) - 1
    X = train[:1] + 3 * t**2 - t
    corrected = EMSC(2, reference=train[0], axis=axis).fit(X).transform(X)
    assert np.abs(corrected - train[0]).max() < LINEAR
    assert np.abs(EMSC(2, reference=train[0]).fit(X).transform(X) - train[0]).max() > 1e-3


@pytest.mark.parametrize("order", range(-1, 4))
def test_emsc_with_all_it_takes_is_weighted_least_squares(train, tablets, order):
    axis = np.linspace(600, 1792, 597) ** 1.5
    t = 2 * (axis - axis[0]) / (axis[-1] - axis[0]) - 1
    interferents = tablets[[642, 700]] - tablets[[0, 58]]  # the same tablets on the other instrument
    weights = np.random.default_rng(0).uniform(0, 2, 597)
    weights[500:] = 0
    emsc = EMSC(order, reference=tablets[9], axis=axis, interferents=interferents, weights=weights).fit(train)
    terms = np.column_stack([*(t**k for k in range(order + 1)), *interferents])
    np.testing.assert_allclose(emsc.terms_, terms, rtol=0, atol=1e-12)
    assert np.array_equal(emsc.reference_, tablets[9])
    expected, coefficients = by_least_squares(emsc, tablets)
    np.testing.assert_allclose(emsc.transform(tablets), expected, rtol=0, atol=LINEAR)
    np.testing.assert_allclose(emsc.coefficients(tablets), coefficients, rtol=0, atol=LINEAR * 10)  # of small terms


def test_savitzky_golay_is_a_polynomial_in_a_window(train):
    x, half, delta = train[0], 7, 2.0
    smooth = SavitzkyGolay(15, 2, 0, delta).fit(train).transform(train[:1])[0]
    slope = SavitzkyGolay(15, 2, 1, delta).fit(train).transform(train[:1])[0]
    nm = delta * np.arange(-half, half + 1)
    for centre in range(half, 597 - half, 50):
        fitted = np.polynomial.Polynomial.fit(nm, x[centre - half : centre + half + 1], 2)
        assert abs(smooth[centre] - fitted(0)) < 1e-12 and abs(slope[centre] - fitted.deriv()(0)) < 1e-12


def test_savitzky_golay_of_a_parabola_is_exact_to_the_ends():
    nm = 600 + 2.0 * np.arange(50)
    X = (3 - 0.2 * nm + 0.001 * nm**2)[None]
    for deriv, expected in enumerate([X, (-0.2 + 0.002 * nm)[None], np.full((1, 50), 0.002)]):
        found = SavitzkyGolay(9, 2, deriv, delta=2.0).fit_transform(X)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)  # values near 900


def test_savitzky_golay_window_shrinks_to_fit():
    X = np.random.default_rng(0).random((3, 20))
    for p in range(1, 20):
        fitted = SavitzkyGolay().fit(X[:, :p])
        assert fitted.window_length_ == min(15, p if p % 2 else p - 1) and np.isfinite(fitted.transform(X[:, :p])).all()
    assert np.array_equal(SavitzkyGolay().fit_transform(X[:, :2]), X[:, :2])  # one channel in the window: itself


def test_global_scaler_by_its_definition(train, tablets):
    scaler = GlobalScaler().fit(train)
    assert isinstance(scaler.mean_, float) and isinstance(scaler.scale_, float)
    assert np.isclose(scaler.mean_, train.mean(), rtol=1e-14) and np.isclose(scaler.scale_, train.std(), rtol=1e-12)
    assert np.allclose(scaler.transform(tablets), (tablets - train.mean()) / train.std(), atol=1e-12)
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(tablets)), tablets, rtol=0, atol=1e-13)


def test_global_scaler_far_from_zero():
    # the mean square minus the squared mean would lose all digits here
    X = 1e8 + np.random.default_rng(0).normal(size=(3000, 7))
    assert np.isclose(GlobalScaler().fit(X).scale_, X.std(), rtol=1e-10)


# -- What must not change, whatever the numbers ---------------------------------------------------------------------

seeds = st.integers(0, 10**6)
gains = st.floats(0.05, 20)
offsets = st.floats(-50, 50)
few = settings(max_examples=40, deadline=None, derandomize=True)
# a spectrum of size 1 under an offset of 50, undone: 2e-16 x 50 x 20 / 0.05 at the very worst
TOLERANCE = 1e-9


@few
@given(seeds, gains, offsets)
def test_snv_removes_offset_and_gain(seed, gain, offset):
    X = bands(3, seed=seed)
    np.testing.assert_allclose(SNV().fit_transform(gain * X + offset), SNV().fit_transform(X), rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(SNV().fit_transform(-gain * X + offset), -SNV().fit_transform(X), rtol=0, atol=TOLERANCE)


@few
@given(seeds, gains, offsets, st.sampled_from([-1, 1]))
def test_msc_removes_offset_and_gain(seed, gain, offset, sign):
    X = bands(3, seed=seed)
    msc = MSC(reference=bands(1, seed=seed + 1)[0]).fit(X)
    # what is divided by is the spectrum's own gain, which may be small: relative to what comes out
    expected = msc.transform(X)
    found = msc.transform(sign * gain * X + offset)
    assert (np.abs(found - expected).max(axis=1) <= TOLERANCE * (1 + np.abs(expected).max(axis=1) ** 2)).all()


@few
@given(seeds, st.integers(0, 4), gains, st.lists(st.floats(-5, 5), min_size=5, max_size=5))
def test_emsc_removes_polynomials_of_its_order(seed, order, gain, polynomial):
    reference, t = bands(1, seed=seed)[0], np.linspace(-1, 1, 40)
    x = gain * reference + np.vander(t, order + 1) @ polynomial[: order + 1]
    emsc = EMSC(order, reference).fit(x[None])
    np.testing.assert_allclose(emsc.transform(x[None])[0], reference, rtol=0, atol=1e-6)  # order 4 nears the bands
    assert np.isclose(emsc.coefficients(x[None])[0, 0], gain, rtol=1e-6)


def test_emsc_keeps_polynomials_above_its_order():
    reference, t = bands(1)[0], np.linspace(-1, 1, 40)
    for order in range(-1, 4):
        x = reference + 0.5 * t ** (order + 1)
        assert np.abs(EMSC(order, reference).fit(x[None]).transform(x[None])[0] - reference).max() > 0.01


amounts = st.lists(st.floats(-100, 100), min_size=2, max_size=2)


def given_weights(seed, p=40):
    """Weights from 0.1 to 2, and a fifth of the channels left out."""
    rng = np.random.default_rng(seed)
    return rng.uniform(0.1, 2, p) * (rng.random(p) > 0.2)


def two_interferents(seed, p=40):
    return bands(2, p, seed=seed + 7) - 1


@few
@given(seeds, st.integers(-1, 2), amounts, gains, st.booleans())
def test_emsc_removes_any_amount_of_an_interferent(seed, order, amount, gain, weighted):
    reference, t = bands(1, seed=seed)[0], np.linspace(-1, 1, 40)
    named = two_interferents(seed)
    weights = given_weights(seed) if weighted else None
    x = gain * reference + amount @ named + np.vander(t, order + 1) @ np.ones(order + 1)
    emsc = EMSC(order, reference, interferents=named, weights=weights).fit(x[None])
    # bands that overlap, on 40 channels, cost some of sixteen digits, amounts of a hundred divided by 0.05 some more
    np.testing.assert_allclose(emsc.transform(x[None])[0], reference, rtol=0, atol=1e-6)
    expected = [gain, *[1] * (order + 1), *amount]
    np.testing.assert_allclose(emsc.coefficients(x[None])[0], expected, rtol=0, atol=1e-6)


@few
@given(seeds, amounts)
def test_interferents_change_nothing_else(seed, amount):
    X, named = bands(5, seed=seed), two_interferents(seed)
    for one in (named[0], named[:1]):  # a single one may come as a vector
        emsc = EMSC(1, interferents=one).fit(X)
        clean = emsc.transform(X)
        found = emsc.transform(X + amount[0] * named[0])
        assert (np.abs(found - clean) <= TOLERANCE * (1 + np.abs(clean).max(axis=1, keepdims=True) ** 2)).all()
    assert np.abs(EMSC(1).fit(X).transform(X + named[0]) - EMSC(1).fit(X).transform(X)).max() > 0.01, "else it is"


def test_order_and_number_of_interferents_do_not_matter():
    X, named, t = bands(9), two_interferents(0), np.linspace(-1, 1, 40)
    expected = EMSC(2, interferents=named).fit(X).transform(X)
    for same in (named[::-1], [*named, named[0]], [*named, named.sum(axis=0)], [*named, t, t**2], [*named, 0 * t]):
        np.testing.assert_allclose(EMSC(2, interferents=same).fit(X).transform(X), expected, rtol=0, atol=TOLERANCE)
    for order, same in ((-1, [*named, t**0, t, t**2]), (0, [*named, t, t**2]), (1, [*named, t**2 - t])):
        np.testing.assert_allclose(EMSC(order, interferents=same).fit(X).transform(X), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("size", [1e-100, 1e-20, 1e-6, 1e6, 1e20, 1e100])
def test_units_of_interferents_do_not_matter(size):
    X, named = bands(9), two_interferents(0)
    plain = EMSC(2, interferents=named, weights=given_weights(0)).fit(X)
    other = EMSC(2, interferents=size * named, weights=size * given_weights(0)).fit(X)
    np.testing.assert_allclose(other.transform(X), plain.transform(X), rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(other.coefficients(X)[:, -2:] * size, plain.coefficients(X)[:, -2:], rtol=1e-6)
    mixed = EMSC(2, interferents=[named[0], size * named[1]], weights=given_weights(0)).fit(X)
    np.testing.assert_allclose(mixed.transform(X), plain.transform(X), rtol=0, atol=TOLERANCE)


@few
@given(seeds, st.integers(-1, 3), st.floats(1e-3, 1e3))
def test_equal_weights_are_no_weights(seed, order, weight):
    X = bands(4, seed=seed)
    plain, named = EMSC(order).fit(X), two_interferents(seed)
    size = 1 + np.abs(plain.transform(X)).max() ** 2
    np.testing.assert_allclose(
        EMSC(order, weights=[weight] * 40).fit(X).transform(X), plain.transform(X), rtol=0, atol=TOLERANCE * size
    )
    one, other = (EMSC(order, interferents=named, weights=w * given_weights(seed)).fit(X) for w in (1, weight))
    np.testing.assert_allclose(one.solver_, other.solver_, rtol=0, atol=TOLERANCE * np.abs(one.solver_).max())


@few
@given(seeds, st.integers(-1, 2), st.floats(-1e3, 1e3) | st.sampled_from([1e12, -1e20]))
def test_channels_of_no_weight_do_not_count(seed, order, anything):
    X, weights = bands(4, seed=seed), given_weights(seed)
    blind = weights == 0
    emsc = EMSC(order, interferents=two_interferents(seed), weights=weights).fit(X)
    odd = np.where(blind, anything, X)
    np.testing.assert_allclose(emsc.coefficients(odd), emsc.coefficients(X), rtol=0, atol=0)
    assert np.array_equal(emsc.transform(odd)[:, ~blind], emsc.transform(X)[:, ~blind])


@pytest.mark.parametrize("anything", [0.0, -1e3, 1e8, 1e20])
@pytest.mark.parametrize("name", ["reference", "interferents"])
def test_channels_of_no_weight_do_not_count_in_reference_and_interferents(name, anything):
    X, weights = bands(4), given_weights(0)
    parts = {"reference": bands(1, seed=1)[0], "interferents": two_interferents(0)}
    expected = EMSC(1, weights=weights, **parts).fit(X).transform(X)
    parts[name] = np.where(weights == 0, anything, parts[name])
    found = EMSC(1, weights=weights, **parts).fit(X).transform(X)
    # large numbers beside small ones cost digits in the product, but only in channels that do not count
    np.testing.assert_allclose(found[:, weights > 0], expected[:, weights > 0], rtol=0, atol=TOLERANCE)


TWICE = [SNV(), MSC(), EMSC(0), EMSC(1), EMSC(2), EMSC(-1)]
TWICE += [
    EMSC(1, interferents=two_interferents(0)),
    EMSC(0, interferents=two_interferents(0), weights=given_weights(0)),
]


@few
@given(seeds, st.sampled_from(TWICE))
def test_twice_is_once(seed, transformer):
    X = bands(5, seed=seed)
    once = transformer.fit(X).transform(X)
    np.testing.assert_allclose(transformer.transform(once), once, rtol=0, atol=1e-7 * np.abs(once).max() ** 2)


def test_twice_is_not_once(train):
    """Smoothing smooths again, the scaler knows what was not scaled, and a reference learned again is another."""
    for transformer, least in ((SavitzkyGolay(), 1e-4), (SavitzkyGolay(deriv=1), 1e-3), (GlobalScaler(), 1)):
        once = transformer.fit(train).transform(train)
        assert np.abs(transformer.transform(once) - once).max() > least
    scaled = GlobalScaler().fit_transform(train)
    np.testing.assert_allclose(
        GlobalScaler().fit_transform(scaled), scaled, rtol=0, atol=1e-12
    )  # learned again: is 0, 1
    corrected = MSC().fit_transform(train)
    assert 1e-4 < np.abs(MSC().fit_transform(corrected) - corrected).max() < 0.1, "the mean of the corrected is another"
    parabola = (3 - np.linspace(-1, 1, 40) ** 2)[None]
    smooth = SavitzkyGolay(9, 2).fit(parabola)
    np.testing.assert_allclose(
        smooth.transform(parabola), parabola, rtol=0, atol=1e-13
    )  # nothing to smooth: twice is once


@few
@given(seeds, gains, offsets)
def test_global_scaler_turns_back(seed, gain, offset):
    X = gain * bands(3, seed=seed) + offset
    scaler = GlobalScaler().fit(bands(4, seed=seed + 1))
    np.testing.assert_allclose(scaler.inverse_transform(scaler.transform(X)), X, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("transformer", ALL, ids=NAMES)
def test_float32_stays_and_agrees(transformer, train, tablets):
    fitted = clone(transformer).fit(train)
    single = fitted.transform(tablets.astype("float32"))
    assert single.dtype == np.float32 and fitted.transform(tablets).dtype == np.float64
    # absorbances near 6 have a float32 rounding of 2.4e-7; no correction here amplifies it more than a few times
    np.testing.assert_allclose(single, fitted.transform(tablets), rtol=0, atol=5e-6)
    learned = clone(transformer).fit(train.astype("float32")).transform(tablets)
    np.testing.assert_allclose(learned, fitted.transform(tablets), rtol=0, atol=5e-6)


# -- Degenerate but finite -------------------------------------------------------------------------------------------

CONSTANTS = [0.0, 1.0, 0.1, -3.3, 1e-12, 1e6]


def test_without_a_baseline_constants_are_scaled():
    X = bands(6)
    found = EMSC(order=-1).fit(X).transform(np.full((1, 40), 2.0))  # it has some of the reference's shape: fine
    assert np.isfinite(found).all()
    with pytest.warns(SpectrumWarning, match="row 0 "):
        assert (EMSC(order=-1).fit(X).transform(np.zeros((1, 40))) == 0).all()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_pure_baselines_become_zero(order):
    X, t = bands(6), np.linspace(-1, 1, 40)
    with pytest.warns(SpectrumWarning, match=r"EMSC: row 0 without any of the reference's shape: baseline removed"):
        found = EMSC(order).fit(X).transform((5 + 3 * t**order)[None])
    assert np.abs(found).max() < 1e-13


def test_reference_that_is_a_baseline_itself():
    t = np.linspace(-1, 1, 40)
    with pytest.warns(SpectrumWarning, match="no variation beyond the baseline"):
        EMSC(2, reference=3 - t + 2 * t**2).fit(bands(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EMSC(1, reference=3 - t + 2 * t**2).fit(bands(2))


@pytest.mark.parametrize("order", [0, 2, 7, 30])
@pytest.mark.parametrize("p", [1, 2, 3, 5])
def test_fewer_channels_than_unknowns(order, p):
    X = np.random.default_rng(0).normal(size=(4, p))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = EMSC(order).fit(X).transform(X)
    assert np.isfinite(found).all() and all(w.category is SpectrumWarning for w in caught)
    if p <= order + 1:
        assert caught and np.abs(found).max() < 1e-9  # the baseline explains everything


@pytest.mark.parametrize("transformer", ALL, ids=NAMES)
@pytest.mark.parametrize("size", [1e-100, 1e-9, 1e9, 1e100])
def test_units_do_not_matter(transformer, size):
    X = bands(4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = clone(transformer).fit(size * X).transform(size * X)
    expected = clone(transformer).fit(X).transform(X)
    scaled = size if isinstance(transformer, (EMSC, SavitzkyGolay)) else 1
    np.testing.assert_allclose(found / scaled, expected, rtol=0, atol=1e-9)


# -- Bad input ------------------------------------------------------------------------------------------------------


def test_a_sum_that_overflows_is_not_taken_for_infinity():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SNV().fit(np.full((3, 4), 1e308))


@pytest.mark.parametrize(
    ("transformer", "words"),
    [
        (EMSC(order=-2), "order=-2 must be an integer of at least -1"),
        (EMSC(order=1.0), r"order=1\.0 must be an integer"),
        (EMSC(order="two"), "order='two'"),
        (EMSC(order=None), "order=None"),
        (EMSC(order=True), "order=True"),
        (EMSC(reference=np.ones(39)), "reference has 39 channels, but 40 are expected"),
        (EMSC(reference=bands(2)), r"reference has shape \(2, 40\)"),
        (MSC(reference=bands(2)), r"reference has shape \(2, 40\)"),
        (MSC(reference=1.0), r"reference has shape \(\)"),
        (MSC(reference=[]), r"reference has shape \(0,\)"),
        (EMSC(reference=np.where(np.arange(40) == 7, np.nan, 1)), "reference contains NaN: first at row 0, channel 7"),
        (EMSC(reference="mean"), "could not convert"),
        (EMSC(interferents=bands(2, 39)), "interferents has 39 channels, but 40 are expected"),
        (EMSC(interferents=np.ones(39)), "interferents has 39 channels, but 40 are expected"),
        (EMSC(interferents=np.ones((2, 40, 1))), r"interferents has shape \(2, 40, 1\), but \(n, 40\) is expected"),
        (EMSC(interferents=[]), r"interferents has shape \(0,\)"),
        (EMSC(interferents=np.ones((0, 40))), r"interferents has shape \(0, 40\)"),
        (EMSC(interferents=1.0), r"interferents has shape \(\)"),
        (EMSC(interferents=np.where(np.eye(2, 40), np.nan, 1)), "interferents contains NaN: first at row 0, channel 0"),
        (EMSC(weights=np.ones(39)), "weights has 39 channels, but 40 are expected"),
        (EMSC(weights=np.ones((1, 40))), r"weights has shape \(1, 40\), but \(40,\) is expected"),
        (EMSC(weights=np.zeros(40)), "weights must not be negative, nor all zero"),
        (EMSC(weights=np.arange(-1, 39)), "weights must not be negative"),
        (EMSC(weights=np.where(np.arange(40) == 7, np.inf, 1)), "weights contains infinity: first at row 0, channel 7"),
        (EMSC(weights="equal"), "could not convert"),
        (EMSC(axis=np.arange(39)), r"axis has shape \(39,\)"),
        (EMSC(axis=np.arange(40)[::-1]), "axis must ascend"),
        (EMSC(axis=np.where(np.arange(40) == 7, np.inf, 1)), "axis contains infinity"),
        (SavitzkyGolay(window_length=8), "window_length=8 must be odd"),
        (SavitzkyGolay(window_length=41), "at most the number of channels, 40"),
        (SavitzkyGolay(window_length=3, polyorder=3), "greater than polyorder=3"),
        (SavitzkyGolay(window_length=0), "window_length=0"),
        (SavitzkyGolay(window_length=5.0), r"window_length=5\.0"),
        (SavitzkyGolay(polyorder=-1), "polyorder=-1"),
        (SavitzkyGolay(deriv=-1), "deriv=-1"),
        (SavitzkyGolay(deriv="first"), "deriv='first'"),
        (SavitzkyGolay(delta=0), "delta=0 must be a finite number above 0"),
        (SavitzkyGolay(delta=-2.0), r"delta=-2\.0"),
        (SavitzkyGolay(delta=np.nan), "delta=nan"),
        (SavitzkyGolay(delta="2 nm"), "delta='2 nm'"),
        (SavitzkyGolay(delta=[2.0]), r"delta=\[2\.0\]"),
    ],
    ids=str,
)
def test_wrong_parameters(transformer, words):
    with pytest.raises(ValueError, match=words):
        transformer.fit(bands(3))
