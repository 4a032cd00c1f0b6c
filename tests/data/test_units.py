"""Units, axes, baselines: equal to independent implementations, there and back, and words for what cannot be done.

The contract for odd input, and scikit-learn's, is in test_contract.py.
"""

import warnings

import numpy as np
import pandas as pd
import pybaselines
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline

from deep_chemometrics import preprocessing
from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import load_meat, load_soil, load_tablets
from deep_chemometrics.data.units import AXIS_NAMES, convert_axis, convert_values, crop_channels, resample
from deep_chemometrics.preprocessing import Absorbance, Baseline, Crop, Resample

few = settings(max_examples=40, deadline=None, derandomize=True)
seeds = st.integers(0, 10**6)
UNITS = ("absorbance", "transmittance", "reflectance", "transmittance (%)", "reflectance (%)")


@pytest.fixture(autouse=True)
def nothing_warns():
    """What is expected to warn says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # what libraries say to each other
        yield


def peaks(n=5, p=80, seed=0):
    """Bands on a sloping baseline, at uneven places from 0 to 100."""
    rng = np.random.default_rng(seed)
    axis = np.linspace(0, 100, p) + np.linspace(0, 1, p) * rng.uniform(0, 20)
    axis[1:-1] += rng.uniform(-0.3, 0.3, p - 2) * 100 / p
    centres, widths = rng.uniform(20, 80, (n, 2, 1)), rng.uniform(2, 4, (n, 2, 1))
    bands = np.exp(-(((axis - centres) / widths) ** 2)).sum(axis=1)
    return axis, bands + rng.uniform(0, 1, (n, 1)) + rng.uniform(0, 0.01, (n, 1)) * axis


def test_all_transformers_come_from_one_place():
    for transformer in (Absorbance, Baseline, Crop, Resample):
        assert getattr(preprocessing, transformer.__name__) is transformer
        assert transformer.__name__ in preprocessing.__all__


# -- Units of the axis ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (1000, "nm", "cm-1", 10_000),
        (2.5, "um", "cm-1", 4000),
        (400, "cm-1", "um", 25),
        (4000, "cm-1", "nm", 2500),
        (2500, "nm", "um", 2.5),
        (0.4, "um", "nm", 400),
        (633, "nm", "nm", 633),
    ],
)
def test_places_that_everybody_knows(value, unit, to, expected):
    assert convert_axis([value], unit, to).tolist() == [pytest.approx(expected, rel=1e-15)]


@few
@given(
    st.lists(st.floats(1e-6, 1e9), min_size=1, max_size=9),
    st.sampled_from(list(AXIS_NAMES)),
    st.sampled_from(list(AXIS_NAMES)),
)
def test_axis_there_and_back(places, unit, to):
    there = convert_axis(places, unit, to)
    np.testing.assert_allclose(convert_axis(there, to, unit), places, rtol=1e-15)  # two or three divisions
    direct = convert_axis(convert_axis(places, unit, "um"), "um", to)
    np.testing.assert_allclose(there, direct, rtol=1e-15)


def test_ascending_wavelengths_are_descending_wavenumbers():
    nm = np.arange(900.0, 1000)
    assert (np.diff(convert_axis(nm, "nm", "cm-1")) < 0).all() and (np.diff(convert_axis(nm, "nm", "um")) > 0).all()
    kept = nm.copy()
    convert_axis(nm, "nm", "nm")[:] = 0
    assert np.array_equal(nm, kept), "the answer is a copy, also where nothing changes"


@pytest.mark.parametrize("bad", [0, -1, np.nan, np.inf])
@pytest.mark.parametrize("to", list(AXIS_NAMES))
def test_places_that_have_no_other_unit(bad, to):
    with pytest.raises(ValueError, match=f"axis must be positive and finite to be converted from nm to {to}"):
        convert_axis([900, bad], "nm", to)


def test_units_of_the_axis_that_nobody_knows():
    for unit, to, name in (("Å", "nm", "unit"), ("nm", "eV", "to"), ("nm", None, "to"), ("NM", "nm", "unit")):
        with pytest.raises(ValueError, match=f"{name}=.* is unknown: choose one of 'nm', 'um', 'cm-1'"):
            convert_axis([1], unit, to)


# -- Units of the values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        (1, "absorbance", "transmittance (%)", 10),
        (0.01, "reflectance", "absorbance", 2),
        (1, "transmittance (%)", "absorbance", 2),
        (100, "transmittance (%)", "absorbance", 0),
        (0.25, "transmittance", "transmittance (%)", 25),
        (25, "reflectance (%)", "reflectance", 0.25),
        (-1, "absorbance", "reflectance", 10),  # brighter than the white standard
    ],
)
def test_values_that_everybody_knows(value, unit, to, expected):
    np.testing.assert_allclose(convert_values([[value]], unit, to), [[expected]], rtol=1e-15)


@few
@given(seeds, st.sampled_from(UNITS), st.sampled_from(UNITS))
def test_values_there_and_back(seed, unit, to):
    A = np.random.default_rng(seed).uniform(-0.5, 7.9, (3, 7))  # the floor, 1e-8, is an absorbance of 8
    X = convert_values(A, "absorbance", unit)
    if {unit.split()[0], to.split()[0]} == {"transmittance", "reflectance"}:
        with pytest.raises(ValueError, match=r"cannot be converted to .*: they are different measurements"):
            convert_values(X, unit, to)
        return
    back = convert_values(convert_values(X, unit, to), to, unit)
    # a logarithm near 8 keeps 1e-15, which a power of ten makes 8 * log(10) times that
    np.testing.assert_allclose(back, X, rtol=2e-14, atol=2e-15)


def test_single_precision_stays(tablets):
    X = tablets[:9].astype("float32")
    T = convert_values(X, "absorbance", "transmittance (%)")
    A = convert_values(T, "transmittance (%)", "absorbance")
    assert T.dtype == A.dtype == np.float32 and convert_values([[1]], "absorbance", "reflectance").dtype == np.float64
    np.testing.assert_allclose(A, X, rtol=0, atol=3e-6)  # values near 6, rounded to 5e-7, there and back


@pytest.mark.parametrize("load", [load_tablets, load_soil, load_meat])
def test_the_floor_lies_below_every_embedded_spectrum(load):
    X = load().X
    T = convert_values(X, "absorbance", "transmittance")
    np.testing.assert_allclose(convert_values(T, "transmittance", "absorbance"), X, rtol=0, atol=1e-13)
    np.testing.assert_allclose(Absorbance().fit(T).transform(T), X, rtol=0, atol=1e-13)


@pytest.mark.parametrize("unit", UNITS[1:])
def test_floor(unit):
    scale = 100.0 if "%" in unit else 1.0
    X = scale * np.array([[0.5, 0.1], [0.0, 0.5], [-3.0, 1e-5], [1e-4, 1.0], [1.0, 2.0]])
    with pytest.warns(SpectrumWarning, match=r"^rows 1, 2 below the smallest .* that was set, 0.0001: raised to it"):
        A = convert_values(X, unit, "absorbance", floor=1e-4)
    np.testing.assert_allclose(A, -np.log10(np.maximum(X / scale, 1e-4)), rtol=1e-15)
    assert A[1, 0] == A[2, 0] == A[2, 1] == 4
    for wrong in (0, -1, np.nan, "small", None):
        with pytest.raises(ValueError, match=r"floor=.* must be a finite number above 0"):
            convert_values(X, unit, "absorbance", floor=wrong)
        with pytest.raises(ValueError, match=r"floor=.* must be a finite number above 0"):
            Absorbance(unit, floor=wrong).fit(X)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_absorbances_beyond_all_numbers(dtype):
    X = np.array([[0.1, 0.2], [0.3, -400]], dtype)
    for call in (
        lambda: convert_values(X, "absorbance", "transmittance"),
        lambda: Absorbance().fit(abs(X) + 1).inverse_transform(X),
    ):
        with pytest.raises(ValueError, match=r"10 \*\* -absorbance contains infinity: first at row 1, channel 1"):
            call()


def test_values_of_unknown_unit():
    for unit, to in (
        ("counts", "absorbance"),
        ("absorbance", "%T"),
        ("Absorbance", "absorbance"),
        (None, "absorbance"),
    ):
        with pytest.raises(ValueError, match=r"(unit|to)=.* is unknown: choose one of 'absorbance', 'transmittance'"):
            convert_values([[1]], unit, to)
    for unit in ("absorbance", "counts", None):
        with pytest.raises(ValueError, match=r"unit=.* is unknown: choose one of 'transmittance', 'reflectance'"):
            Absorbance(unit).fit([[1]])


@pytest.mark.parametrize("unit", UNITS[1:])
def test_absorbance_is_convert_values(unit, tablets):
    X = convert_values(tablets[:300], "absorbance", unit)
    transformer = Absorbance(unit, floor=1e-12).fit(X[:1])
    assert np.array_equal(transformer.transform(X), convert_values(X, unit, "absorbance", floor=1e-12))
    np.testing.assert_allclose(transformer.transform(X), tablets[:300], rtol=0, atol=1e-14)  # values near 6
    np.testing.assert_allclose(transformer.inverse_transform(tablets[:300]), X, rtol=1e-14)


# -- Resampling -------------------------------------------------------------------------------------------------------


@few
@given(seeds, st.integers(1, 60))
def test_linear_is_numpy(seed, n_new):
    axis, X = peaks(seed=seed)
    new = np.sort(np.random.default_rng(seed).uniform(axis[0], axis[-1], n_new))
    expected = np.array([np.interp(new, axis, x) for x in X])
    np.testing.assert_allclose(resample(X, axis, new), expected, rtol=0, atol=1e-13)  # values near 3
    middle = (axis[:-1] + axis[1:]) / 2
    np.testing.assert_allclose(resample(X, axis, middle), (X[:, :-1] + X[:, 1:]) / 2, rtol=0, atol=1e-13)


@few
@given(seeds, st.integers(1, 60), st.integers(4, 50))
def test_cubic_is_scipys_spline(seed, n_new, p):
    axis, X = peaks(p=p, seed=seed)
    new = np.sort(np.random.default_rng(seed).uniform(axis[0], axis[-1], n_new))
    expected = CubicSpline(axis, X, axis=1)(new)  # not-a-knot is its default, too
    np.testing.assert_allclose(resample(X, axis, new, method="cubic"), expected, rtol=0, atol=1e-11)


@few
@given(seeds, st.sampled_from(["linear", "cubic"]), st.integers(1, 50))
def test_channels_at_the_same_place_keep_their_values(seed, method, p):
    axis, X = peaks(p=max(p, 2), seed=seed)
    chosen = np.flatnonzero(np.random.default_rng(seed).random(len(axis)) < 0.5)
    chosen = chosen if len(chosen) else np.array([0])
    np.testing.assert_allclose(resample(X, axis, axis[chosen], method=method), X[:, chosen], rtol=0, atol=1e-13)
    assert np.array_equal(resample(X, axis, axis, method=method), X), "where nothing changes, not even by rounding"
    assert not np.shares_memory(resample(X, axis, axis), X)


@few
@given(seeds, st.lists(st.floats(-5, 5), min_size=4, max_size=4))
def test_straight_lines_stay_straight_and_cubics_cubic(seed, c):
    axis = peaks(seed=seed)[0]
    new, t = np.linspace(axis[0], axis[-1], 33), 2 * axis / axis[-1] - 1
    t_new = 2 * new / axis[-1] - 1
    line, cubic = np.polynomial.Polynomial(c[:2]), np.polynomial.Polynomial(c)
    for method in ("linear", "cubic"):
        np.testing.assert_allclose(resample([line(t)], axis, new, method=method), [line(t_new)], rtol=0, atol=1e-12)
    np.testing.assert_allclose(resample([cubic(t)], axis, new, method="cubic"), [cubic(t_new)], rtol=0, atol=1e-11)


@few
@given(seeds)
def test_linear_invents_no_extremes_and_the_ends_hold(seed):
    axis, X = peaks(seed=seed)
    X.sort(axis=1)
    new = np.linspace(axis[0] - 30, axis[-1] + 30, 201)
    held = resample(X, axis, new, outside="hold")
    assert (np.diff(held) >= -1e-14).all(), "what ascends goes on ascending"
    for found in (held, resample(X, axis, new, outside="hold", method="cubic")):
        for beyond, end in ((new <= axis[0], X[:, :1]), (new >= axis[-1], X[:, -1:])):
            np.testing.assert_allclose(found[:, beyond], np.repeat(end, beyond.sum(), axis=1), rtol=0, atol=1e-13)


@pytest.mark.parametrize("outside", [0, -1.5, np.float32(0.25), np.int64(3)])
@pytest.mark.parametrize("method", ["linear", "cubic"])
def test_a_number_stands_outside_and_only_there(outside, method):
    axis, X = peaks()
    new = np.r_[-5, -1e-9, axis[0], 50, axis[-1], axis[-1] + 1e-9]
    found = resample(X, axis, new, outside=outside, method=method)
    assert (found[:, [0, 1, 5]] == outside).all()
    assert np.array_equal(found[:, 2:5], resample(X, axis, new[2:5], method=method))


@pytest.mark.parametrize("method", ["linear", "cubic"])
def test_every_spectrum_for_itself(method):
    axis, X = peaks(600)
    new = np.linspace(0, 100, 37)
    together = resample(X, axis, new, method=method)
    for rows in (slice(0, 1), slice(255, 257), slice(10, 600)):
        np.testing.assert_allclose(resample(X[rows], axis, new, method=method), together[rows], rtol=0, atol=1e-14)
    found = Resample(new, axis=axis, method=method).fit(X[:2]).transform(X)  # in portions
    np.testing.assert_allclose(found, together, rtol=0, atol=1e-14)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_fewer_channels_than_a_cubic_needs(p):
    axis, t = np.arange(p) * 10.0, np.arange(p)
    X = np.array([3 + t, 2 - t**2])  # with three channels the parabola through them
    new = np.array([0.0, 2, 5, 10])[: 4 if p > 1 else 1]
    found = resample(X, axis, new, method="cubic")
    expected = np.array([3 + new / 10, 2 - (new / 10) ** 2 if p == 3 else 2 - new / 10])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    assert np.array_equal(resample(X[:, :1], [5], [1, 5, 9], outside="hold"), np.repeat(X[:, :1], 3, axis=1))


def test_there_and_back_loses_little_of_smooth_bands():
    """Not what was there: an axis twice as fine holds all that lines between channels know, a coarser one not."""
    axis, X = peaks()
    fine = np.sort(np.r_[axis, (axis[:-1] + axis[1:]) / 2])
    np.testing.assert_allclose(resample(resample(X, axis, fine), fine, axis), X, rtol=0, atol=1e-13)
    coarse = np.linspace(axis[0], axis[-1], 40)
    lost = {
        m: np.abs(resample(resample(X, axis, coarse, "hold", m), coarse, axis, "hold", m) - X).max()
        for m in ("linear", "cubic")
    }
    assert 0.01 < lost["cubic"] < lost["linear"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
def test_number_types(dtype):
    axis, X = peaks()
    X = (100 * X).astype(dtype)
    found = resample(X, axis, np.linspace(1, 99, 9))
    assert found.dtype == ("float32" if dtype == "float32" else "float64")
    np.testing.assert_allclose(found, resample(X.astype(float), axis, np.linspace(1, 99, 9)), rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (dict(new_axis=[-1, 5, 200]), r'2 of 3 new channels lie outside the spectra\'s 0 to .*outside="hold"'),
        (dict(new_axis=[5, 4]), "new_axis must ascend, but goes from 5 to 4 at channel 1"),
        (dict(new_axis=[5, 5]), "new_axis must ascend"),
        (dict(new_axis=[5, np.nan]), "new_axis contains NaN: first at value 1"),
        (dict(new_axis=[]), r"new_axis has shape \(0,\): give the place of every new channel"),
        (dict(new_axis=5.0), r"new_axis has shape \(\)"),
        (dict(new_axis=[[1, 2]]), r"new_axis has shape \(1, 2\)"),
        (dict(new_axis=["a"]), "could not convert"),
        (dict(new_axis=[5], method="nearest"), "method='nearest' is unknown: choose one of 'linear', 'cubic'"),
        (dict(new_axis=[5], outside="zero"), "outside='zero' is unknown: choose one of 'raise', 'hold'"),
        (dict(new_axis=[5], outside=np.nan), "outside=nan must be a finite number"),
        (dict(new_axis=[5], outside=None), "outside=None must be a finite number"),
        (dict(new_axis=[5], axis=np.arange(80.0)[::-1]), "axis must ascend, but goes from 79 to 78"),
        (dict(new_axis=[5], axis=np.arange(79.0)), r"axis has shape \(79,\), but the spectra have 80 channels"),
    ],
    ids=str,
)
def test_what_cannot_be_resampled(arguments, words):
    axis, X = peaks()
    with pytest.raises(ValueError, match=words):
        resample(X, **dict(axis=axis) | arguments)
    with pytest.raises(ValueError, match=words):
        Resample(**dict(axis=axis) | arguments).fit(X)


def test_nothing_is_said_of_names_that_are_not_asked_for():
    X = pd.DataFrame(peaks()[1], columns=[f"channel {i}" for i in range(80)])
    assert np.array_equal(Crop().fit_transform(X), X) and np.array_equal(Resample().fit_transform(X), X)


# -- Cropping ---------------------------------------------------------------------------------------------------------


@few
@given(seeds, st.floats(0, 100), st.floats(0, 100))
def test_crop_is_a_mask(seed, one, other):
    axis, X = peaks(seed=seed)
    low, high = sorted((one, other))
    inside = (axis >= low) & (axis <= high)
    if inside.any():
        assert np.array_equal(Crop(low, high, axis=axis).fit_transform(X), X[:, inside])
        assert np.array_equal(crop_channels(axis, low, high), np.flatnonzero(inside))
    else:
        with pytest.raises(ValueError, match="no channel from"):
            Crop(low, high, axis=axis).fit(X)


@few
@given(seeds, st.integers(1, 79))
def test_two_crops_side_by_side_are_the_whole(seed, cut):
    axis, X = peaks(seed=seed)
    left, right = Crop(high=axis[cut - 1], axis=axis), Crop(axis[cut], axis=axis)
    assert np.array_equal(np.hstack([left.fit_transform(X), right.fit_transform(X)]), X)


def test_crop_limits():
    axis, X = peaks()
    assert Crop(axis[3], axis[3], axis=axis).fit_transform(X).shape == (5, 1), "both limits are included"
    assert Crop(-1e300, 1e300, axis=axis).fit_transform(X).shape == X.shape
    for limits in ((50, 40), (200, None), (None, -1), (axis[3] + 1e-9, axis[4] - 1e-9)):
        with pytest.raises(ValueError, match=r"no channel from .* to .*: the axis goes from 0 to"):
            Crop(*limits, axis=axis).fit(X)
    for wrong in ("50", np.nan, np.inf, [50], True):
        with pytest.raises(ValueError, match=r"high=.* must be a finite number"):
            Crop(high=wrong, axis=axis).fit(X)
    with pytest.raises(ValueError, match=r"Crop does not know where the channels lie: give axis=ds.axis"):
        Crop(50).fit(X)


# -- Baselines --------------------------------------------------------------------------------------------------------

USUAL = {"airpls", "arpls", "asls", "iasls", "imodpoly", "modpoly", "mor", "poly", "rubberband", "snip", "tophat"}


def methods():
    """All algorithms of pybaselines that take one spectrum."""
    try:
        Baseline("").fit(np.ones((1, 20)))
    except ValueError as error:
        return [word.strip(" '.") for word in str(error).split("choose one of")[1].split(",")]


def test_there_are_many_methods():
    assert len(methods()) > 50 and {"asls", "arpls", "snip", "modpoly", "rubberband"} < set(methods())
    for unknown in ("", "ASLS", "collab_pls", "banded_solver", "_fit", "__init__", None):
        with pytest.raises(ValueError, match=r"method=.* is unknown: choose one of 'adaptive_minmax'"):
            Baseline(unknown).fit(peaks()[1])


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("asls", None),
        ("asls", {"lam": 1e4, "p": 0.05}),
        ("arpls", {"lam": 1e5}),
        ("airpls", {}),
        ("snip", {"max_half_window": 9, "decreasing": True}),
        ("modpoly", {"poly_order": 3}),
        ("imodpoly", {"poly_order": 1}),
        ("mor", {"half_window": 6}),
        ("rubberband", None),
        ("interp_pts", {"baseline_points": ((0, 0), (100, 1))}),
    ],
)
@pytest.mark.parametrize("uneven", [False, True])
def test_baseline_is_pybaselines(method, options, uneven):
    axis, X = peaks()
    algorithms = pybaselines.Baseline(axis if uneven else np.arange(80.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pybaselines.utils.ParameterWarning)
        expected = np.array([x - getattr(algorithms, method)(x, **options or {})[0] for x in X])
    before = None if options is None else dict(options)
    found = Baseline(method, options, axis=axis if uneven else None).fit(X).transform(X)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
    assert options == before


def test_an_uneven_axis_matters():
    """A straight line along uneven places is none along the channels' numbers."""
    axis = np.linspace(1, 10, 60) ** 2
    line, band = 0.05 * axis, np.exp(-(((axis - 40) / 3) ** 2))
    told = Baseline("modpoly", {"poly_order": 1}, axis=axis).fit_transform([line + band])
    untold = Baseline("modpoly", {"poly_order": 1}).fit_transform([line + band])
    away = np.abs(axis - 40) > 15
    assert np.abs(told[0, away]).max() < 0.02 < 0.2 < np.abs(untold[0, away]).max()


def test_baseline_finds_the_bands_again():
    axis = np.linspace(0, 100, 400)
    band = np.exp(-(((axis - 50) / 3) ** 2))
    X = band + np.array([[0.0], [1], [2]]) + np.array([[0.01], [0.02], [-0.01]]) * axis
    for method, options in (
        ("asls", {"lam": 1e6, "p": 1e-3}),
        ("arpls", {"lam": 1e5}),
        ("snip", {"max_half_window": 40}),
    ):
        # the algorithms agree on a line and a band to some per cent of its height; there is no exact answer
        np.testing.assert_allclose(Baseline(method, options).fit_transform(X), np.tile(band, (3, 1)), rtol=0, atol=0.06)


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("asls", {"lamda": 1e5}, r"asls with options=\{'lamda': 100000.0\} fails: .*lamda"),
        ("asls", {"lam": -1}, "asls with options=.* fails: lam"),
        ("asls", {"lam": "high"}, "asls with options=.* fails"),
        ("asls", ["lam"], "asls with options=.* fails"),
        ("modpoly", {"poly_order": -1}, "modpoly with options=.* fails"),
        ("interp_pts", None, "interp_pts with options=None fails: .*baseline_points"),
    ],
)
def test_options_that_the_method_refuses(method, options, words):
    with pytest.raises(ValueError, match=f"Baseline: {words}"):
        Baseline(method, options).fit(peaks()[1])


@pytest.mark.parametrize("method", methods())
def test_every_method_answers_within_the_contract(method):
    """With its own options: it works or says why not; then constants and zeros give numbers, and no foreign warning."""
    X = np.vstack([np.full((1, 60), 0.3), peaks(2, 60)[1], np.zeros((1, 60))])
    try:
        fitted = Baseline(method).fit(X)
    except ValueError as error:
        assert str(error).startswith(f"Baseline: {method} with options=None fails: ")
        assert method not in USUAL  # some need to be told points or knots, some fail numerically on 60 channels
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        found = fitted.transform(X)
    assert found.shape == X.shape and np.isfinite(found).all() and not np.array_equal(found[1:3], X[1:3])


def test_spectra_without_a_baseline_lose_their_least_value():
    X = np.vstack([np.full((1, 60), 0.3), peaks(2, 60)[1], np.zeros((1, 60))])
    with pytest.warns(
        SpectrumWarning, match="Baseline: rows 0, 3 no baseline could be fitted: the least value removed"
    ):
        found = Baseline("rubberband").fit(X).transform(X)
    assert (found[[0, 3]] == 0).all() and np.ptp(found[1]) > 0.3
    with pytest.warns(SpectrumWarning, match="rows 0, 1 "):
        assert Baseline().fit_transform([[3.0, 2.0], [5.0, 5.0]]).tolist() == [[1, 0], [0, 0]]


def test_baseline_does_not_depend_on_the_training_spectra():
    X = peaks(9)[1]
    assert np.array_equal(Baseline().fit(X).transform(X), Baseline().fit(X[::-1] + 5).transform(X))
