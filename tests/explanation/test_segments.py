"""Bands, what fills them, occlusion and Shapley values: against definitions, in batches, and with odd input."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deep_chemometrics.augmentation import arrays, layers
from deep_chemometrics.explanation import bands, segments
from deep_chemometrics.explanation.method_occlusion import occlude
from deep_chemometrics.explanation.method_shapley import shapley
from deep_chemometrics.explanation.segments import FILLS, fill_bands

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 12))
BASE = RNG.normal(size=12)
W = RNG.normal(size=12)


def linear(X):
    return X @ W + 3


def curved(X):
    return X[:, 0] * X[:, 5] * X[:, 9] + np.maximum(X[:, 3], X[:, 7]) - np.sin(X[:, 11])


# Bands


@given(n_channels=st.integers(1, 60), data=st.data())
def test_n_bands_cover_everything_once_and_evenly(n_channels, data):
    n = data.draw(st.integers(1, n_channels))
    b = bands(n_channels, n=n)
    assert len(b) == n and (b.mask.sum(axis=0) == 1).all() and np.ptp(b.size) <= 1
    assert np.array_equal(b.mask.sum(axis=1), b.size)


@given(
    steps=st.lists(st.floats(0.5, 20), min_size=1, max_size=40),
    width=st.floats(0.1, 500),
)
def test_bands_of_a_width_are_no_wider(steps, width):
    """The channels of a band lie within `width` of each other, but for rounding, and all are covered once."""
    axis = 400 + np.cumsum(steps)
    b = bands(axis, width=width)
    assert (b.mask.sum(axis=0) == 1).all()
    assert (axis[b.last] - axis[b.first] <= width * (1 + 1e-9)).all()
    number = np.floor((axis[b.first] - axis[0]) / width + 1e-9)
    assert (np.diff(number) >= 1).all(), "no two bands within one width"


def test_even_widths_on_an_even_axis():
    b = bands(600 + 2.0 * np.arange(100), width=20)
    assert (b.size == 10).all() and b.low[0] == 599 and b.high[0] == 619 and b.centre[1] == 629
    b = bands(np.linspace(500, 3900, 341), width=100)  # 10 channels each, and the last by itself
    assert b.size.tolist() == [10] * 34 + [1]


def test_edges():
    axis = np.arange(10.0)
    b = bands(axis, edges=[2, 5, 9])
    assert b.first.tolist() == [2, 5] and b.last.tolist() == [4, 9], "the last edge belongs to the last band"
    b = bands(axis, edges=[(0.5, 3), (3, 3.5), (7, 100)])
    assert b.first.tolist() == [1, 3, 7] and b.last.tolist() == [2, 3, 9]
    assert bands(1, n=1).high.tolist() == [0.5]


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({}, "exactly one"),
        (dict(n=2, width=3.0), "exactly one"),
        (dict(n=0), "n=0"),
        (dict(n=13), "more than the 12"),
        (dict(width=0), "width"),
        (dict(width=np.nan), "width"),
        (dict(edges=[3]), "at least two edges"),
        (dict(edges=[]), "at least two edges"),
        (dict(edges=[[1, 2, 3]]), "at least two edges"),
        (dict(edges=[3, 2]), "ascend"),
        (dict(edges=[(1, 4), (3, 5)]), "overlap"),
        (dict(edges=[1, np.nan]), "NaN"),
        (dict(edges=[20, 30]), "no channel between 20 and 30"),
    ],
)
def test_bands_that_are_none(wrong, message):
    with pytest.raises(ValueError, match=message):
        bands(12, **wrong)


def test_axis_that_is_none():
    for axis in (0, np.array([3.0, 2.0]), np.array([1.0, np.nan])):
        with pytest.raises(ValueError, match="axis"):
            bands(axis, n=1)


def test_sums_and_spread():
    b = bands(12, edges=[(1, 4), (6, 11)])
    values = RNG.normal(size=(2, 3, 2))
    assert np.allclose(b.sums(b.spread(values)), values)
    assert (b.spread(values)[..., [0, 4, 5]] == 0).all()
    assert np.allclose(b.sums(X)[:, 0], X[:, 1:4].sum(axis=1))


# Filling


@given(st.integers(0, 2**6 - 1), st.sampled_from(FILLS))
@settings(deadline=None)
def test_filling_against_a_loop(pattern, fill):
    b = bands(12, n=6)
    removed = (pattern >> np.arange(6)) & 1 == 1
    missing = np.repeat(removed, 2)
    expected = X.copy()
    for row in expected:
        if fill == "zero":
            row[missing] = 0
        elif fill == "mean" or missing.all():
            row[missing] = BASE[missing]
        else:
            row[missing] = np.interp(np.flatnonzero(missing), np.flatnonzero(~missing), row[~missing])
    assert np.allclose(fill_bands(X, b, removed, fill, BASE), expected)
    assert np.allclose(fill_bands(X, b, np.tile(removed, (5, 1)), fill, BASE), expected)


def test_filling_leaves_the_input_alone():
    before = X.copy()
    for fill in FILLS:
        fill_bands(X, bands(12, n=3), np.ones(3, dtype=bool), fill)
    assert np.array_equal(X, before)


def test_fillings_that_do_not_fit():
    b = bands(12, n=3)
    cases = [
        (dict(removed=np.zeros(3, dtype=bool), fill="noise"), "'mean', 'zero', 'interpolate'"),
        (dict(removed=np.zeros(3)), "booleans"),
        (dict(removed=np.zeros(4, dtype=bool)), "booleans"),
        (dict(removed=np.zeros((4, 3), dtype=bool)), "booleans"),
        (dict(removed=np.zeros(3, dtype=bool), baseline=np.ones(11)), "baseline"),
    ]
    for wrong, message in cases:
        with pytest.raises(ValueError, match=message):
            fill_bands(X, b, **wrong)
    with pytest.raises(ValueError, match="11 channels, but 12"):
        fill_bands(X[:, 1:], b, np.zeros(3, dtype=bool))


# Occlusion and Shapley values


@pytest.mark.parametrize("samples", [None, 4, 7])
def test_linear_functions_are_exact(samples):
    """Rounding: sums of a dozen products of order one."""
    b = bands(12, n=5)
    expected = b.sums(W * (X - BASE))
    assert np.allclose(occlude(linear, X, b, baseline=BASE), expected, atol=1e-12)
    values, errors = shapley(linear, X, b, baseline=BASE, samples=samples, random_state=0)
    assert np.allclose(values, expected, atol=1e-12) and errors.max() < 1e-6


def test_bands_outside_which_nothing_changes():
    b = bands(12, edges=[(2, 5), (8, 10)])
    assert np.allclose(shapley(linear, X, b, baseline=BASE)[0], b.sums(W * (X - BASE)))


@pytest.mark.parametrize("fill", FILLS)
def test_shapley_against_all_orders(fill):
    b = bands(12, n=4)
    expected = np.zeros((5, 4))
    for order in permutations(range(4)):
        removed = np.ones(4, dtype=bool)
        for k in order:
            before = curved(fill_bands(X, b, removed, fill, BASE))
            removed[k] = False
            expected[:, k] += (curved(fill_bands(X, b, removed, fill, BASE)) - before) / 24
    values, errors = shapley(curved, X, b, fill=fill, baseline=BASE)
    assert np.allclose(values, expected) and (errors == 0).all()
    nothing = curved(fill_bands(X, b, np.ones(4, dtype=bool), fill, BASE))
    sampled, _ = shapley(curved, X, b, fill=fill, baseline=BASE, samples=6, random_state=1)
    for result in (values, sampled):
        assert np.allclose(result.sum(axis=1), curved(X) - nothing), "complete"


def test_sampling_comes_nearer_and_knows_how_near():
    b = bands(12, n=6)
    exact, _ = shapley(curved, X, b, baseline=BASE)
    off = {}
    for samples in (16, 1024):
        values, errors = shapley(curved, X, b, baseline=BASE, samples=samples, random_state=0)
        off[samples] = np.abs(values - exact).max()
        assert (np.abs(values - exact) <= 5 * errors + 1e-9).all(), "5 standard errors: chance about 1 in a million"
    assert off[1024] < off[16]


@pytest.mark.parametrize("batch_size", [1, 7, 10_000])
def test_batches_make_no_difference(batch_size):
    b, seen = bands(12, n=5), []

    def f(X):
        seen.append(len(X))
        return curved(X)

    keywords = dict(baseline=BASE, batch_size=batch_size)
    assert np.allclose(occlude(f, X, b, **keywords), occlude(curved, X, b, baseline=BASE))
    assert np.allclose(shapley(f, X, b, **keywords)[0], shapley(curved, X, b, baseline=BASE)[0])
    assert max(seen) <= batch_size
    sampled = shapley(f, X, b, samples=8, random_state=3, **keywords)
    assert np.allclose(sampled, shapley(curved, X, b, samples=8, random_state=3, baseline=BASE))
    assert max(seen) <= max(batch_size, 12), "two orders of six"


def test_random_state():
    b = bands(12, n=6)

    def run(state):
        return shapley(curved, X, b, baseline=BASE, samples=4, random_state=state)[0]

    assert np.array_equal(run(1), run(1)) and not np.array_equal(run(1), run(2))


def test_one_band_is_everything():
    b = bands(12, n=1)
    for samples in (None, 4):
        values, _ = shapley(curved, X, b, baseline=BASE, samples=samples)
        assert np.allclose(values[:, 0], curved(X) - curved(BASE[None]))


def test_bad_requests():
    b = bands(12, n=3)
    for wrong, message in ((dict(samples=3), "samples"), (dict(batch_size=0), "batch_size"), (dict(fill="x"), "fill")):
        with pytest.raises(ValueError, match=message):
            shapley(linear, X, b, **wrong)
    with pytest.raises(ValueError, match="12 are expected"):
        occlude(linear, X[:, 1:], b)


def test_progress_is_shown_on_demand_only(capsys):
    for progress, shown in ((None, False), (False, False), (True, True)):
        occlude(linear, X, bands(12, n=3), progress=progress)
        assert ("spectrum" in capsys.readouterr().err) == shown


def test_gaps_are_bridged_by_one_function_everywhere():
    """Augmentation of arrays, its layers and explanations: straight lines as numpy's interp, held at the ends."""
    assert segments.bridge is layers.bridge is arrays.bridge
    rng = np.random.default_rng(0)
    x, hole, axis = rng.normal(size=(30, 12)), rng.random((30, 12)) < 0.5, np.sort(rng.normal(size=12))
    hole[:, 5] = False
    expected = [np.interp(axis, axis[~gap], row[~gap]) for row, gap in zip(x, hole)]
    np.testing.assert_allclose(arrays.bridge(x, hole, axis), expected, rtol=0, atol=1e-12)
