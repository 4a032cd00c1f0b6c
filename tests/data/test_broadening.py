"""Sticks as spectra: areas, shapes, additivity, lists of any lengths, and what is refused."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import voigt_profile

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data.broadening import GAUSS_SIGMA, broaden

AXIS = np.arange(500.0, 3901, 4)


def plainly(positions, heights, axis, width, shape, gauss_width=0.0):
    """One spectrum, stick by stick, by the formulas as they stand in a textbook."""
    spectrum = np.zeros(len(axis))
    for p, h in zip(positions, heights):
        x = axis - p
        if shape == "lorentz":
            line = width / 2 / np.pi / (x**2 + (width / 2) ** 2)
        elif shape == "gauss":
            sigma = width / (2 * np.sqrt(2 * np.log(2)))
            line = np.exp(-(x**2) / (2 * sigma**2)) / (sigma * np.sqrt(2 * np.pi))
        else:
            line = voigt_profile(x, gauss_width / (2 * np.sqrt(2 * np.log(2))), width / 2)
        spectrum += h * line
    return spectrum


molecules = st.lists(st.lists(st.tuples(st.floats(0, 5000), st.floats(-100, 1000)), max_size=6), min_size=1, max_size=5)


@settings(max_examples=40, deadline=None)
@given(molecules, st.sampled_from(["lorentz", "gauss", "voigt"]), st.floats(4, 200), st.floats(4, 200))
def test_as_in_the_textbook(sticks, shape, width, gauss_width):
    positions, heights = ([[stick[i] for stick in molecule] for molecule in sticks] for i in (0, 1))
    extra = {"gauss_width": gauss_width} if shape == "voigt" else {}
    found = broaden(positions, heights, AXIS, width, shape, **extra)
    expected = [plainly(p, h, AXIS, width, shape, **extra) for p, h in zip(positions, heights)]
    # the far wings of a Voigt line are a series that is cut off: 1e-7 of the line
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("shape", ["lorentz", "gauss", "voigt"])
@pytest.mark.parametrize("width", [8, 20, 60])
def test_area_is_intensity(shape, width):
    axis = np.arange(-200_000.0, 200_001, 4)
    extra = {"gauss_width": 20} if shape == "voigt" else {}
    area = np.trapezoid(broaden(1.3, 7.0, axis, width, shape, **extra), axis)
    # wings beyond the ends hold w / (pi d) of a Lorentz line; the sum over channels itself errs by 0.4 % at 2 channels
    assert np.isclose(area, 7, rtol=2e-4 + 2 * np.exp(-np.pi * width / 4))


@pytest.mark.parametrize("shape", ["lorentz", "gauss"])
def test_full_width_at_half_maximum(shape):
    top, left, right = (broaden(1000.0, 1, [at], 30, shape)[0] for at in (1000, 985, 1015))
    assert np.isclose(left, top / 2) and np.isclose(right, top / 2)


def test_a_voigt_line_is_a_lorentz_line_seen_through_a_gauss_line():
    axis = np.arange(-4000.0, 4001, 1)
    kernel = broaden(0, 1, axis, 24, "gauss")
    seen = np.convolve(broaden(0, 1, axis, 20, "lorentz"), kernel, mode="same")
    assert np.allclose(broaden(0, 1, axis, 20, "voigt", gauss_width=24)[2000:-2000], seen[2000:-2000], rtol=1e-4)


def test_voigt_is_smooth_where_the_series_takes_over():
    edge, sigma = 15 * GAUSS_SIGMA * 20, GAUSS_SIGMA * 20
    for width in (1e-6, 1, 20, 500):
        axis = edge + np.array([-1e-9, 0, 1e-9])
        values = broaden(0, 1, axis, width, "voigt", gauss_width=20)
        assert np.allclose(values, voigt_profile(axis, sigma, width / 2), rtol=2e-7)


def test_sticks_add_up_and_intensities_scale():
    rng = np.random.default_rng(0)
    p, h = rng.uniform(500, 3900, 30), rng.exponential(50, 30)
    whole = broaden(p, h, AXIS, 15)
    assert np.allclose(whole, broaden(p[:10], h[:10], AXIS, 15) + broaden(p[10:], h[10:], AXIS, 15))
    assert np.allclose(broaden(p, 3 * h, AXIS, 15), 3 * whole)
    assert np.allclose(broaden(p[::-1], h[::-1], AXIS, 15), whole)


def test_many_molecules_as_one_by_one():
    rng = np.random.default_rng(1)
    p = [rng.uniform(500, 3900, n) for n in rng.integers(0, 12, 400)]  # some 2,000 sticks: many chunks of 38
    h, w = ([rng.uniform(5, 50, len(x)) for x in p] for _ in "hw")
    many = broaden(p, h, AXIS, w)
    assert many.shape == (400, len(AXIS)) and any(len(x) == 0 for x in p)
    assert all(np.allclose(row, broaden(*one, AXIS, v)) for row, *one, v in zip(many, p, h, w))
    assert not any(many[i].any() for i, x in enumerate(p) if len(x) == 0)


def test_forms_of_input():
    one = broaden([1000, 1700], [1, 2], AXIS, 20)
    assert one.shape == AXIS.shape
    for p, h in (
        ([[1000, 1700]], [[1, 2]]),
        (np.array([[1000, 1700]]), np.array([[1, 2]])),
        (np.array([np.array([1000, 1700])], dtype=object), [[1, 2]]),
        ([np.array([1000, 1700])], [(1, 2)]),
    ):
        assert np.array_equal(broaden(p, h, AXIS, [[20, 20]]), one[None])
    assert np.array_equal(broaden(1000, 2, AXIS, 20), broaden([1000], [2], AXIS, [20]))
    assert broaden([], [], AXIS, 20).tolist() == [0] * len(AXIS)
    assert broaden([[], []], 1, AXIS, 20).shape == (2, len(AXIS))
    assert broaden([5.0], [1.0], [7.0], 1).shape == (1,), "an axis of one channel"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(width=0), "above 0"),
        (dict(width=[20, -1]), "above 0"),
        (dict(shape="box"), "shape='box'"),
        (dict(shape="voigt"), "gauss_width"),
        (dict(gauss_width=5), "gauss_width"),
        (dict(heights=[1]), "heights does not match positions"),
        (dict(positions=[[1000, 1700], [900]], heights=[[1, 2], [1, 2]]), "at spectrum 1"),
        (dict(positions=[[1000, 1700], [900]], heights=[[1, 2]]), "at spectrum 1"),
        (dict(positions=[np.nan, 1000]), "positions contains NaN"),
        (dict(heights=[1, np.inf]), "heights contains infinity"),
        (dict(axis=AXIS[::-1]), "ascend"),
        (dict(axis=np.ones((2, 3))), "axis has shape"),
    ],
)
def test_bad_input(change, words):
    given = dict(positions=[1000, 1700], heights=[1, 2], axis=AXIS, width=20) | change
    with pytest.raises(ValueError, match=words):
        broaden(**given)


def test_lines_narrower_than_channels_warn():
    with pytest.warns(SpectrumWarning, match="row 1: lines narrower"):
        broaden([[1000], [1000]], 1, AXIS, [[8], [3.9]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        broaden([1000], [1], AXIS, 4.1)
        broaden([100, 1000], [1, 0], AXIS, 1)  # beyond the axis, and nothing at all: no line is lost
        broaden([1000], [1], AXIS, 1, "voigt", gauss_width=20)
