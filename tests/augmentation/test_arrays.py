"""More augmentation: what all functions share, and each of them against an independent formulation."""

import tracemalloc
import warnings

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.augmentation import (
    arrays,
    augment_axis,
    augment_dropout,
    augment_emsc,
    augment_mixup,
    augment_noise,
    augment_scatter,
)
from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import load_tablets
from deep_chemometrics.preprocessing import EMSC

Y = np.arange(40.0)


def mixed(X, **keywords):
    return augment_mixup(X, Y[: len(X)], **keywords)[0]


# name: the function, a strength that shows, strength zero
FAMILY = {
    "scatter": (augment_scatter, {}, {"offset": 0, "slope": 0, "gain": 0}),
    "emsc": (augment_emsc, {}, {"strength": 0}),
    "emsc order 0": (augment_emsc, {"order": 0}, {"strength": 0}),
    "shift": (augment_axis, {"shift": 3, "stretch": 0}, {"shift": 0, "stretch": 0}),
    "stretch": (augment_axis, {"shift": 0, "stretch": 0.01}, {"shift": 0, "stretch": 0}),
    "axis extended": (augment_axis, {"outside": "extend"}, {"shift": 0, "stretch": 0}),
    "noise": (augment_noise, {}, {"noise": 0}),
    "noise proportional": (augment_noise, {"noise": 0, "proportional": 0.1}, {"proportional": 0}),
    "dropout": (augment_dropout, {}, {"width": 0}),
    "dropout zero": (augment_dropout, {"fill": "zero", "windows": 3}, {"windows": 0}),
    "dropout interpolate": (augment_dropout, {"fill": "interpolate"}, {"width": 0.0}),
    "mixup": (mixed, {"alpha": 0.5}, {"alpha": 0}),
}
every = pytest.mark.parametrize("name", FAMILY)


@pytest.fixture(scope="module")
def ds():
    return load_tablets()[:40]


@pytest.fixture(scope="module")
def X(ds):
    return np.array(ds.X)


def call(name, X, **more):
    function, strength, _ = FAMILY[name]
    return function(X, **strength | more)


# -- What all share --------------------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_zero_strength_is_the_identity(name, X, dtype):
    function, strength, zero = FAMILY[name]
    X = X.astype(dtype)
    assert np.array_equal(function(X, **strength | zero, copies=3, random_state=0), np.repeat(X, 3, axis=0))


@every
def test_something_happens_to_each_copy(name, X):
    copies = call(name, X, copies=3, random_state=0).reshape(40, 3, 597)
    changed = np.abs(copies - X[:, None]).max(axis=2) > 0
    assert changed.mean() > 0.9  # a share of mixup may round to one
    assert (np.ptp(copies, axis=1).max(axis=1) > 0).all(), "the copies of one spectrum differ"


@every
def test_copies_stand_side_by_side(name, X):
    weak = {strength: 1e-5 for strength in FAMILY[name][2] if strength not in ("width", "windows")}
    copies = call(name, X, **weak, copies=3, random_state=0)
    # the median over the channels, because a dropped window is not weak
    nearest = [np.median(np.abs(copy - X), axis=1).argmin() for copy in copies]
    assert nearest == list(np.repeat(np.arange(40), 3))


@every
def test_seed(name, X):
    one, same, other = (call(name, X, random_state=np.random.RandomState(s)) for s in (3, 3, 4))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert np.array_equal(one, call(name, X, random_state=3))


@every
def test_numpys_own_state_is_left_alone(name, X):
    before = np.random.get_state()  # noqa: NPY002
    call(name, X, random_state=0)
    after = np.random.get_state()  # noqa: NPY002
    assert np.array_equal(after[1], before[1]) and after[2] == before[2]


@every
def test_float32_stays_and_agrees(name, X):
    single = call(name, X.astype("float32"), random_state=0)
    assert single.dtype == np.float32
    # values near 6, of which float32 keeps 4e-7; the solver of EMSC multiplies it
    np.testing.assert_allclose(single, call(name, X, random_state=0), rtol=0, atol=2e-5)


@every
def test_input_is_left_alone(name, X):
    given = X.copy()
    given.flags.writeable = False
    found = call(name, given, random_state=0)
    assert np.array_equal(given, X) and not np.shares_memory(found, given)


@every
def test_lists_frames_and_integers(name, X):
    whole = np.round(100 * X[:5]).astype(int)
    expected = call(name, whole.astype(float), random_state=0)
    for same in (whole, whole.tolist(), pd.DataFrame(whole, index=range(5, 0, -1))):
        found = call(name, same, random_state=0)
        # a DataFrame lies in memory column by column: some processors then add in another order
        assert isinstance(found, np.ndarray) and np.allclose(found, expected, rtol=1e-12, atol=0)


@every
def test_portions_do_not_show(name, X, monkeypatch):
    expected = call(name, X, copies=20, random_state=0)
    batches = arrays.gen_batches
    monkeypatch.setattr(arrays, "gen_batches", lambda n, size: batches(n, 7))
    # a matrix product may add in another order when there are fewer rows: 1e-12 of values near 6
    np.testing.assert_allclose(call(name, X, copies=20, random_state=0), expected, rtol=0, atol=1e-12)


@every
def test_memory_stays_at_the_result(name, X):
    tracemalloc.start()
    result = call(name, X, copies=250, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # 10,000 x 597 doubles are 48 MB; a portion of 256 rows is 1.2 MB, of which the widest needs a dozen at a time
    assert peak < result.nbytes + 20e6


@every
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused(name, X, bad):
    X = X.copy()
    X[3, 5] = bad
    with pytest.raises(ValueError, match="row 3, channel 5"):
        call(name, X)


@every
@pytest.mark.parametrize("copies", [0, -1, 1.5, None, True])
def test_copies_must_be_a_count(name, X, copies):
    with pytest.raises(ValueError, match="copies="):
        call(name, X, copies=copies)


@every
@pytest.mark.parametrize(
    "X", [[1.0, 2.0], [[]], [["a", "b"]], np.array([[1j, 2j]]), np.ones((2, 3, 4)), np.empty((0, 5))]
)
def test_other_shapes_and_kinds_are_refused(name, X):
    with pytest.raises(ValueError):
        call(name, X)


@every
def test_bad_seed_is_refused(name, X):
    with pytest.raises(ValueError, match="seed"):
        call(name, X, random_state="today")


@pytest.mark.parametrize(
    ("function", "strength"),
    [
        (augment_emsc, "strength"),
        (augment_axis, "shift"),
        (augment_axis, "stretch"),
        (augment_noise, "noise"),
        (augment_noise, "proportional"),
        (augment_noise, "scale"),
        (augment_dropout, "width"),
        (mixed, "alpha"),
    ],
)
@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, "much"])
def test_strengths_must_be_finite_and_not_negative(X, function, strength, value):
    with pytest.raises(ValueError, match=f"{strength}="):
        function(X, **{strength: value})


@every
def test_few_channels(name):
    for p in (1, 2, 3):
        X = np.random.default_rng(0).random((5, p)) + 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SpectrumWarning)  # EMSC: no variation beyond the baseline
            found = call(name, X, copies=4, random_state=0)
        assert found.shape == (20, p) and np.isfinite(found).all()


# -- EMSC ------------------------------------------------------------------------------------------------------------


def coefficients(X, reference, order):
    """Gain and polynomial coefficients by plain least squares, and the residual."""
    A = np.column_stack([reference, np.vander(np.linspace(-1, 1, X.shape[1]), order + 1, increasing=True)])
    found = np.linalg.lstsq(A, X.T, rcond=None)[0]
    return found, X - (A @ found).T


@pytest.mark.parametrize("order", [0, 1, 2, 4])
def test_emsc_draws_with_the_covariance_of_the_training_spectra(X, order):
    reference = X.mean(axis=0)
    own, residual = coefficients(X[:1], reference, order)
    copies = augment_emsc(X[:1], order, copies=5000, random_state=0, train=X)
    found, left = coefficients(copies, reference, order)
    # the residual is multiplied with the gain, and nothing else happens
    np.testing.assert_allclose(left, found[0][:, None] / own[0] * residual, rtol=0, atol=1e-9)
    deviations = found - own
    wanted = np.cov(coefficients(X, reference, order)[0])
    size = np.sqrt(np.diag(wanted))
    # a covariance of n normal draws has a standard error of at most size² sqrt(2 / n): five of them
    assert (np.abs(np.cov(deviations) - wanted) / np.outer(size, size)).max() < 5 * np.sqrt(2 / 5000)
    assert (np.abs(deviations.mean(axis=1)) / size).max() < 5 / np.sqrt(5000)


def test_emsc_strength_scales_the_deviation(X):
    full, half = (augment_emsc(X, strength=s, random_state=0) - X for s in (1, 0.5))
    np.testing.assert_allclose(half, full / 2, rtol=0, atol=1e-12)


def test_emsc_undoes_it(X):
    emsc = EMSC(2).fit(X)
    copies = augment_emsc(X, copies=3, random_state=0)
    np.testing.assert_allclose(emsc.transform(copies), np.repeat(emsc.transform(X), 3, axis=0), rtol=0, atol=1e-9)


def test_emsc_in_parts_with_the_same_training_spectra(X):
    # the same numbers are drawn for the same rows
    part = augment_emsc(X[:10], copies=2, random_state=0, train=X)
    np.testing.assert_allclose(part, augment_emsc(X, copies=2, random_state=0)[:20], rtol=0, atol=1e-12)


def test_emsc_names_spectra_without_a_shape(X):
    X = X.copy()
    X[[3, 7]] = 2.0
    with pytest.warns(SpectrumWarning, match="augment_emsc: rows 3, 7 without any of the reference's shape"):
        found = augment_emsc(X, copies=300, random_state=0)  # more than one portion
    assert np.isfinite(found).all() and np.abs(found).max() < 100


def test_emsc_needs_training_spectra_that_fit(X):
    with pytest.raises(ValueError, match="minimum of 2"):
        augment_emsc(X[:1])
    with pytest.raises(ValueError, match="train has 596 channels"):
        augment_emsc(X, train=X[:, 1:])
    with pytest.raises(ValueError, match="order="):
        augment_emsc(X, order=-1)


def test_emsc_with_fewer_training_spectra_than_coefficients(X):
    # two spectra vary along one direction, with the variance difference² / 2
    found = augment_emsc(X[:1], order=4, copies=4000, random_state=0, train=X[:2])
    reference = X[:2].mean(axis=0)
    deviations = coefficients(found, reference, 4)[0] - coefficients(X[:1], reference, 4)[0]
    own = coefficients(X[:2], reference, 4)[0]
    along = deviations.T @ np.linalg.pinv((own[:, 1] - own[:, 0])[None])
    assert abs(2 * along.var() - 1) < 5 * np.sqrt(2 / 4000)  # a variance from 4,000 normal draws
    np.testing.assert_allclose(deviations, np.outer(own[:, 1] - own[:, 0], along), rtol=0, atol=1e-9)


# -- Axis ------------------------------------------------------------------------------------------------------------


def drawn(n, shift, stretch, state):
    d, e = np.random.RandomState(state).uniform(-1, 1, (n, 2)).T
    return d * shift, e * stretch


@pytest.mark.parametrize(("shift", "stretch"), [(3, 0), (0, 0.02), (20, 0.3), (5000, 0), (1, 0.99)])
def test_axis_is_interp_between_and_held_beyond(ds, X, shift, stretch):
    middle = (ds.axis[0] + ds.axis[-1]) / 2
    found = augment_axis(X, ds.axis, shift, stretch, copies=2, random_state=5)
    for copy, x, d, e in zip(found, np.repeat(X, 2, axis=0), *drawn(80, shift, stretch, 5)):
        moved = middle + (1 + e) * (ds.axis - middle) + d  # where the channels went: the axis that np.interp sees
        np.testing.assert_allclose(copy, np.interp(ds.axis, moved, x), rtol=0, atol=1e-9)


def test_axis_may_be_uneven(X):
    axis = np.cumsum(np.random.default_rng(0).uniform(0.5, 3, 597))
    found = augment_axis(X[:1], axis, shift=4, stretch=0, copies=30, random_state=5)
    for copy, d in zip(found, drawn(30, 4, 0, 5)[0]):
        np.testing.assert_allclose(copy, np.interp(axis, axis + d, X[0]), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("shift", "stretch"), [(30, 0), (0, 0.1), (300, 0.2)])
def test_straight_lines_go_on_when_extended(ds, shift, stretch):
    line = (0.003 * ds.axis - 1)[None]
    middle = ds.axis.mean()
    found = augment_axis(line, ds.axis, shift, stretch, copies=20, random_state=5, outside="extend")
    d, e = (v[:, None] for v in drawn(20, shift, stretch, 5))
    np.testing.assert_allclose(found, 0.003 * (middle + (ds.axis - middle - d) / (1 + e)) - 1, rtol=0, atol=1e-10)


def test_without_axis_the_unit_is_the_channel(X):
    one = augment_axis(X, None, shift=2, stretch=0.01, random_state=0)
    assert np.array_equal(one, augment_axis(X, np.arange(597), shift=2, stretch=0.01, random_state=0))
    same = augment_axis(X, 600 + 4 * np.arange(597.0), shift=8, stretch=0.01, random_state=0)
    np.testing.assert_allclose(one, same, rtol=0, atol=1e-10)


def test_held_values_are_values_of_the_spectrum(ds, X):
    found = augment_axis(X, ds.axis, shift=100, stretch=0.1, copies=3, random_state=0)
    original = np.repeat(X, 3, axis=0)
    assert (found.min(axis=1) >= original.min(axis=1) - 1e-12).all()
    assert (found.max(axis=1) <= original.max(axis=1) + 1e-12).all()


def test_axis_refuses(ds, X):
    for keywords, message in (
        ({"stretch": 1}, "stretch=1 must be less than 1"),
        ({"outside": "wrap"}, "outside='wrap' is unknown"),
        ({"axis": ds.axis[::-1]}, "axis must ascend"),
        ({"axis": ds.axis[1:]}, "axis has shape"),
    ):
        with pytest.raises(ValueError, match=message):
            augment_axis(X, **keywords)


# -- Noise -----------------------------------------------------------------------------------------------------------


def test_noise_is_normal_independent_and_as_strong_as_said(X):
    noise = augment_noise(X[:1], noise=0.1, proportional=0.05, copies=4000, random_state=0, scale=2) - X[0]
    z = noise / np.sqrt(0.2**2 + (0.05 * X[0]) ** 2)
    n = z.size
    # moments of n standard normal numbers, five standard errors: 1, sqrt(2), sqrt(96) over sqrt(n)
    assert abs(z.mean()) < 5 / np.sqrt(n) and abs((z**2).mean() - 1) < 5 * np.sqrt(2 / n)
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96 / n)
    assert abs((z[:, 1:] * z[:, :-1]).mean()) < 5 / np.sqrt(n) and abs((z[1:] * z[:-1]).mean()) < 5 / np.sqrt(n)


def test_noise_is_a_multiple_of_the_scale(X):
    by_default = augment_noise(X, random_state=0) - X
    np.testing.assert_allclose(by_default, augment_noise(X, scale=X.std(), random_state=0) - X, rtol=0, atol=1e-14)
    twice = augment_noise(X, scale=2 * X.std(), random_state=0) - X
    np.testing.assert_allclose(twice, 2 * by_default, rtol=0, atol=1e-12)


def test_proportional_noise_of_negative_values(X):
    plus, minus = (augment_noise(s * X, 0, 0.1, random_state=0) - s * X for s in (1, -1))
    np.testing.assert_allclose(plus, minus, rtol=0, atol=1e-12)


# -- Dropout ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("windows", [1, 3])
def test_each_channel_is_dropped_as_often(ds, X, windows):
    dropped = augment_dropout(X, ds.axis, 150, windows, copies=200, random_state=0, fill="zero") == 0
    q = 1 - (1 - 150 / (1192 + 150)) ** windows
    # of 8,000 copies, and each of the 597 channels within five standard errors
    assert np.abs(dropped.mean(axis=0) - q).max() < 5 * np.sqrt(q * (1 - q) / 8000)


def test_dropped_channels_lie_in_windows(ds, X):
    dropped = augment_dropout(X, ds.axis, 100, 1, copies=5, random_state=0, fill="zero") == 0
    width = np.array([np.ptp(ds.axis[row]) if row.any() else 0 for row in dropped])
    assert (np.abs(np.diff(dropped.astype(int), axis=1)).sum(axis=1) <= 2).all(), "one window has two edges"
    assert width.max() == 98  # 50 channels, 2 nm apart, as long as it hangs over no end
    assert (width[~dropped[:, 0] & ~dropped[:, -1]] >= 98).all()


def test_what_fills_the_hole(ds, X):
    same = dict(axis=ds.axis, width=120, windows=2, copies=4, random_state=0)
    hole = augment_dropout(X, **same, fill="zero") == 0
    original = np.repeat(X, 4, axis=0)
    found = augment_dropout(X, **same)
    assert np.array_equal(found[~hole], original[~hole])
    assert np.array_equal(found[hole], np.broadcast_to(X.mean(axis=0), hole.shape)[hole])
    of_others = augment_dropout(X, **same, train=X[:3] + 1)
    assert np.array_equal(of_others[hole], np.broadcast_to((X[:3] + 1).mean(axis=0), hole.shape)[hole])
    bridged = augment_dropout(X, **same, fill="interpolate")
    assert np.array_equal(bridged[~hole], original[~hole])
    by_numpy = [np.interp(ds.axis, ds.axis[~h], x[~h]) for h, x in zip(hole, original)]
    np.testing.assert_allclose(bridged, by_numpy, rtol=0, atol=1e-12)


def test_ends_are_held_in_single_precision(ds, X):
    """Far outside, a line through two equal numbers is a difference of large ones: the value held has to be exact."""
    same = dict(axis=ds.axis, width=600, copies=4, random_state=0)
    hole = augment_dropout(X.astype("float32"), **same, fill="zero") == 0
    held = augment_dropout(X.astype("float32"), **same, fill="interpolate")
    assert hole[:, 0].any() and hole[:, -1].any() and held.dtype == np.float32
    for h, x in zip(hole, held):
        first, last = np.flatnonzero(~h)[[0, -1]]
        assert (x[:first] == x[first]).all() and (x[last:] == x[last]).all()


@pytest.mark.parametrize("fill", ["mean", "zero", "interpolate"])
def test_a_copy_that_would_lose_everything_stays_whole(fill):
    X = np.random.default_rng(0).random((5, 4)) + 1
    found = augment_dropout(X, width=2.9, windows=50, copies=10, random_state=0, fill=fill)
    assert np.array_equal(found, np.repeat(X, 10, axis=0))


def test_dropout_refuses(ds, X):
    for keywords, message in (
        ({"width": 1192}, "width=1192 must be less than the axis is long, 1192"),
        ({"fill": "noise"}, "fill='noise' is unknown"),
        ({"windows": -1}, "windows="),
        ({"windows": 0.5}, "windows="),
        ({"train": X[:, 1:]}, "train has 596 channels"),
        ({"train": X * np.nan}, "train contains NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            augment_dropout(X, ds.axis, **keywords)


# -- Mixup -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [0.1, 1, 5])
def test_mixup_mixes_two_spectra_with_shares_from_beta(alpha):
    n = 30
    spectra, shares = augment_mixup(np.eye(n), np.eye(n), alpha=alpha, copies=400, random_state=0)
    np.testing.assert_allclose(spectra, shares, rtol=0, atol=1e-15)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=0, atol=1e-12)
    assert ((shares > 0).sum(axis=1) <= 2).all()
    own = shares[np.arange(n * 400), np.repeat(np.arange(n), 400)]
    assert own.min() >= 0.5
    beta = np.random.default_rng(1).beta(alpha, alpha, 200_000)
    folded = np.maximum(beta, 1 - beta)
    assert abs(own.mean() - folded.mean()) < 5 * folded.std() * np.sqrt(1 / own.size + 1 / beta.size)
    others = (shares > 0).reshape(n, 400, n).sum(axis=1)[~np.eye(n, dtype=bool)] / 400
    if alpha == 1:  # never so near to 1 that the other one is rounded away: each of 29 is as likely
        assert np.abs(others - 1 / 29).max() < 5 * np.sqrt(1 / 29 / 400)


def test_mixup_targets_follow(X):
    linear = np.random.default_rng(0).normal(size=(597, 2)) / 597
    spectra, targets = augment_mixup(X, X @ linear, alpha=1, copies=7, random_state=0)
    assert spectra.shape == (280, 597) and targets.shape == (280, 2)
    np.testing.assert_allclose(spectra @ linear, targets, rtol=0, atol=1e-12)
    one = augment_mixup(X, (X @ linear)[:, 0], alpha=1, copies=7, random_state=0)[1]
    assert one.shape == (280,) and np.array_equal(one, targets[:, 0])
    frame = augment_mixup(X, pd.DataFrame(X @ linear, columns=["a", "b"]), alpha=1, copies=7, random_state=0)[1]
    assert np.array_equal(frame, targets)


def test_mixup_refuses(X):
    for y in (Y[:39], ["a"] * 40, np.full(40, np.nan), None):
        with pytest.raises(ValueError):
            augment_mixup(X, y)
    with pytest.raises(ValueError, match="minimum of 2"):
        augment_mixup(X[:1], [1.0])
