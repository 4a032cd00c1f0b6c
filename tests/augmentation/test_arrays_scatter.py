"""Augmented spectra: the formula, its limits and spread, and that nothing depends on chance but what should."""

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.augmentation import augment_scatter, estimate_scatter
from deep_chemometrics.augmentation.arrays import spectral_scale
from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import load_tablets

NOTHING = dict(offset=0, slope=0, gain=0)


@pytest.fixture(scope="module")
def X():
    return np.array(load_tablets().X[:20])


def drawn(augmented, original):
    """Offset, slope and gain of every copy of one spectrum, by least squares, and what is left."""
    t = np.linspace(-0.5, 0.5, len(original))
    A = np.column_stack([np.ones_like(t), t, original])
    found = np.linalg.lstsq(A, augmented.T, rcond=None)[0]
    return found, np.abs(augmented.T - A @ found).max()


def test_copies_differ_by_offset_slope_and_gain_and_by_nothing_else(X):
    scale = spectral_scale(X)
    copies = augment_scatter(X[:1], offset=0.3, slope=0.2, gain=0.1, copies=2000, scale=scale, random_state=0)
    (offset, slope, gain), left = drawn(copies, X[0])
    assert left < 1e-11  # float64, values near 6
    for found, width in ((offset / scale, 0.3), (slope / scale, 0.2), (gain - 1, 0.1)):
        assert np.abs(found).max() <= width * (1 + 1e-9) and np.abs(found).max() > 0.99 * width
        # uniform: variance width²/3; five standard errors of the mean and of the variance of 2,000 draws
        assert abs(found.mean()) < 5 * width / np.sqrt(3 * 2000)
        assert abs(found.var() - width**2 / 3) < 5 * width**2 * np.sqrt(4 / 45 / 2000)
    correlation = np.corrcoef([offset, slope, gain]) - np.eye(3)
    assert np.abs(correlation).max() < 5 / np.sqrt(2000), "drawn independently of each other"


def test_spectra_are_drawn_independently(X):
    (offsets, *_), _ = drawn(augment_scatter(np.repeat(X[:1], 500, axis=0), random_state=0), X[0])
    assert len(np.unique(offsets.round(9))) == 500


@pytest.mark.parametrize("name", ["offset", "slope", "gain"])
def test_one_strength_at_a_time(X, name):
    found, left = drawn(augment_scatter(X[:1], **NOTHING | {name: 0.5}, copies=50, scale=1, random_state=0), X[0])
    still = np.delete(found - [[0], [0], [1]], ["offset", "slope", "gain"].index(name), axis=0)
    assert np.abs(still).max() < 1e-10 and left < 1e-11 and np.ptp(found, axis=1).max() > 0.5


def test_without_strength_nothing_happens(X):
    assert np.array_equal(augment_scatter(X, **NOTHING, copies=2), np.repeat(X, 2, axis=0))


def test_copies_stand_side_by_side(X):
    y = np.arange(20)
    nearest = [
        np.abs(x - X).max(axis=1).argmin() for x in augment_scatter(X, 1e-6, 1e-6, 1e-6, copies=3, random_state=0)
    ]
    assert nearest == list(np.repeat(y, 3))


def test_scale_is_that_of_the_spectra_or_the_one_given(X):
    by_default = augment_scatter(X, random_state=0)
    assert np.array_equal(by_default, augment_scatter(X, scale=np.std(X), random_state=0))
    apart = by_default - augment_scatter(X, scale=2 * np.std(X), random_state=0)
    assert np.abs(apart).max() > 0.01
    lines = np.linspace(-0.5, 0.5, 597)
    assert max(drawn(line[None], lines)[1] for line in apart) < 1e-11, "scale concerns offset and slope, not gain"


@pytest.mark.parametrize("state", [0, 7, "RandomState"])
def test_same_state_same_copies(X, state):
    one, two = (
        augment_scatter(X, random_state=np.random.RandomState(3) if state == "RandomState" else state) for _ in "12"
    )
    assert np.array_equal(one, two) and not np.array_equal(one, augment_scatter(X, random_state=99))


def test_own_state_leaves_numpys_alone(X):
    before = np.random.get_state()  # noqa: NPY002
    augment_scatter(X, random_state=0)
    assert np.array_equal(np.random.get_state()[1], before[1]) and np.random.get_state()[2] == before[2]  # noqa: NPY002


def test_input_is_left_alone(X):
    before = X.copy()
    X.flags.writeable = False
    augmented = augment_scatter(X, random_state=0)
    X.flags.writeable = True
    assert np.array_equal(X, before) and not np.shares_memory(augmented, X)


@pytest.mark.parametrize("n", [1023, 1024, 1025, 2050])
def test_chunks_do_not_show(n):
    X = np.random.default_rng(0).random((n, 7))
    whole = augment_scatter(X, scale=1, random_state=0)
    draw = np.random.RandomState(0).uniform(-1, 1, (n, 3))
    o, s, g = (draw * [0.1, 0.05, 0.1]).T[:, :, None]
    np.testing.assert_allclose(whole, (1 + g) * X + s * np.linspace(-0.5, 0.5, 7) + o, rtol=0, atol=1e-14)


def test_float32_stays_and_agrees(X):
    single = augment_scatter(X.astype("float32"), random_state=0)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, augment_scatter(X, random_state=0), rtol=0, atol=5e-6)  # values near 6


def test_integers_lists_and_frames(X):
    whole = np.round(100 * X).astype(int)
    expected = augment_scatter(whole.astype(float), random_state=0)
    for same in (whole, whole.tolist(), pd.DataFrame(whole, index=range(20, 0, -1))):
        found = augment_scatter(same, random_state=0)
        assert isinstance(found, np.ndarray) and np.array_equal(found, expected)


@pytest.mark.parametrize("value", [0.0, 0.1, -3.3, 1e6])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_scale_of_constant_spectra_is_one(value, dtype):
    # the standard deviation of 0.1s is 1e-17, not 0
    assert spectral_scale(np.full((7, 11), value, dtype)) == 1.0


def test_scale_of_others(X):
    assert np.isclose(spectral_scale(X), X.std(), rtol=1e-14)
    assert np.isclose(spectral_scale(1e-9 * X), 1e-9 * X.std(), rtol=1e-9), "small is not constant"
    far = np.random.default_rng(0).normal(1e4, 1, (2000, 50))
    # of float32 numbers near 10,000, which stand 1e-3 apart, summed in float64
    assert np.isclose(spectral_scale(far.astype("float32")), far.std(), rtol=1e-3)


def test_one_channel_has_no_slope():
    augmented = augment_scatter([[2.0]], **NOTHING | {"slope": 1}, copies=5, random_state=0)
    # documented: t from 0 to 1 in equal steps; of a single channel it is 0
    assert augmented.shape == (5, 1) and np.isfinite(augmented).all() and np.abs(augmented - 2).max() <= 0.5


# -- estimate_scatter ------------------------------------------------------------------------------------------------


def by_the_book(X, groups, scale):
    """Strengths from plain least squares in every group."""
    t, apart, freedom = np.linspace(-0.5, 0.5, X.shape[1]), [], 0
    for group in np.unique(groups):
        members = X[groups == group]
        A = np.column_stack([np.ones_like(t), t, members.mean(axis=0)])
        found = np.linalg.lstsq(A, members.T, rcond=None)[0].T
        apart.append(found - found.mean(axis=0))
        freedom += len(members) - 1
    spread = np.sqrt(3 * (np.concatenate(apart) ** 2).sum(axis=0) / freedom) / [scale, scale, 1]
    return dict(zip(["offset", "slope", "gain"], spread))


def close(found, expected, rtol):
    assert list(found) == ["offset", "slope", "gain"]
    np.testing.assert_allclose(list(found.values()), [expected[name] for name in found], rtol=rtol)


@pytest.mark.parametrize("groups", [None, np.arange(20) // 2, np.arange(20) % 3, np.r_[np.zeros(11), np.arange(1, 10)]])
def test_strengths_by_the_book(X, groups):
    labels = np.zeros(20) if groups is None else groups
    close(estimate_scatter(X, groups), by_the_book(X, labels, X.std()), rtol=1e-6)
    close(estimate_scatter(X, groups, scale=2), by_the_book(X, labels, 2), rtol=1e-6)


@pytest.mark.parametrize("robust", [False, True])
def test_what_replicates_were_made_with_is_found(X, robust):
    rng, t = np.random.default_rng(0), np.linspace(-0.5, 0.5, 597)
    normal = rng.normal(size=(3, 4000, 1)) * [[[0.1]], [[0.2]], [[0.03]]]
    made = normal[0] + normal[1] * t + (1 + normal[2]) * np.repeat(X, 200, axis=0)
    found = estimate_scatter(made, np.repeat(np.arange(20), 200), robust=robust, scale=1)
    # normal draws: a standard deviation of 4,000 is good to 1.1 %, by the median deviation to 1.9 %; five of them
    expected = {"offset": 0.1 * np.sqrt(3), "slope": 0.2 * np.sqrt(3), "gain": 0.03 * np.sqrt(3)}
    close(found, expected, rtol=5 * (0.019 if robust else 0.011))


def test_strengths_can_be_augmented_with(X):
    made = augment_scatter(X[:1], copies=5000, random_state=0, scale=1)
    # again: even draws have a standard deviation good to sqrt(0.2 / n)
    close(estimate_scatter(made, scale=1), {"offset": 0.1, "slope": 0.05, "gain": 0.1}, rtol=5 * np.sqrt(0.2 / 5000))
    strengths = estimate_scatter(X)
    assert augment_scatter(X, **strengths, copies=2).shape == (40, 597)
    again = estimate_scatter(augment_scatter(X[:1], **strengths, copies=5000, scale=1, random_state=1), scale=1)
    close(again, strengths, rtol=5 * np.sqrt(0.2 / 5000))


def test_without_groups_chemistry_is_in_it(X):
    made, labels = augment_scatter(X, copies=50, random_state=0, scale=1), np.repeat(np.arange(20), 50)
    within, all_of_them = estimate_scatter(made, labels, scale=1), estimate_scatter(made, scale=1)
    assert all_of_them["slope"] > 2 * within["slope"]


def test_identical_replicates_have_no_scatter(X):
    strengths = estimate_scatter(np.repeat(X, 3, axis=0), np.repeat(np.arange(20), 3))
    assert max(strengths.values()) < 1e-10


def test_robust_does_not_see_a_few_odd_spectra(X):
    made = augment_scatter(X[:1], copies=500, random_state=0, scale=1)
    odd = made.copy()
    odd[::50] = 3 * odd[::50] + 10
    clean, robust = (estimate_scatter(Z, robust=True, scale=1) for Z in (made, odd))
    close(robust, clean, rtol=0.1)
    assert estimate_scatter(odd, scale=1)["gain"] > 3 * clean["gain"]


def test_single_spectra_and_the_order_of_rows_do_not_count(X):
    labels = np.array(["a", "b", "c", "d"] * 4 + ["alone", "too", "three", "four"])
    order = np.random.default_rng(0).permutation(20)
    expected = estimate_scatter(X[:16], labels[:16], scale=1)
    close(estimate_scatter(X, labels, scale=1), expected, rtol=1e-12)
    close(estimate_scatter(X[order], pd.Series(labels[order], index=order), scale=1), expected, rtol=1e-9)


def test_float32_strengths_agree(X):
    close(estimate_scatter(X.astype("float32")), estimate_scatter(X), rtol=1e-3)  # differences of numbers near 6


def test_constant_spectra_tell_no_gain():
    X = np.repeat(np.linspace(1, 2, 10)[:, None], 30, axis=1)
    with pytest.warns(SpectrumWarning, match="no variation beyond the baseline"):
        strengths = estimate_scatter(X, scale=1)
    assert strengths["gain"] == 0 and np.isclose(strengths["offset"], np.sqrt(3) * X[:, 0].std(ddof=1))
    assert strengths["slope"] < 1e-12


def test_estimate_scatter_refuses(X):
    for arguments, message in (
        ((X * np.nan,), "NaN"),
        ((X[:1],), "minimum of 2"),
        ((X, np.arange(20)), "no group has two spectra"),
        ((X, np.arange(19)), "groups has 19 labels for 20 spectra"),
        ((X, [None] + ["a"] * 19), "no label for row 0"),
        ((X, np.r_[np.zeros(19), np.nan]), "no label for row 19"),
        ((X, None, False, 0), "scale="),
    ):
        with pytest.raises(ValueError, match=message):
            estimate_scatter(*arguments)


@pytest.mark.parametrize("name", ["offset", "slope", "gain", "scale"])
@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, "much"])
def test_strengths_must_be_finite_and_not_negative(X, name, value):
    with pytest.raises(ValueError, match=f"{name}="):
        augment_scatter(X, **{name: value})
