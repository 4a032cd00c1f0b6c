"""Augmentation for infrared spectra: the rotors against sum rules, the convolution against algebra, and bad input."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.data.broadening import broaden
from deep_chemometrics.data.line_list import LineList, line_spectra
from deep_chemometrics.infrared import GROUP_SMARTS, augment_infrared, group_map
from deep_chemometrics.infrared import augmentation as module
from deep_chemometrics.infrared.augmentation import GASES, gas_lines, jitter_lines

AXIS = np.arange(500.0, 3900, 4)
NONE = dict(width=0, shift=0, stretch=0, baseline=0, noise=0, gases=0)
EACH = {
    "width": {"width": (10, 30)},
    "shift": {"shift": 4},
    "stretch": {"stretch": 0.001},
    "baseline": {"baseline": 0.03},
    "noise": {"noise": 0.01},
    "gases": {"gases": 0.05},
    "all": dict(width=(0, 30), shift=2, stretch=0.0005, baseline=0.03, noise=0.01, gases=0.05),
}
every = pytest.mark.parametrize("name", EACH)


@pytest.fixture(scope="module")
def library():
    """Five made-up molecules: neither rdkit nor tblite is needed to disturb lines."""
    random = np.random.default_rng(0)
    lengths = np.array([12, 0, 20, 7, 30])
    n = lengths.sum()
    absorption = random.normal(size=(n, 17)) * 10
    return LineList(
        samples=pd.DataFrame({"smiles": list("ABCDE"), "cas": [""] * 5, "imaginary": 0}),
        groups=pd.DataFrame(random.random((5, 17)) > 0.5, columns=list(GROUP_SMARTS)),
        lengths=lengths,
        frequency=np.sort(random.uniform(300, 3700, n)),
        intensity=random.exponential(50, n),
        motion=random.random((n, 17)),
        absorption=absorption,
    )


@pytest.fixture(scope="module")
def X(library):
    return line_spectra(library[[0, 2, 3, 4]], AXIS)


# -- Lines ------------------------------------------------------------


def test_jitter_keeps_order_labels_and_the_original(library):
    before = library.frequency.copy(), library.intensity.copy()
    jittered = jitter_lines(library, random_state=0)
    assert np.array_equal(before[0], library.frequency) and np.array_equal(before[1], library.intensity)
    assert jittered.groups is library.groups and np.array_equal(jittered.lengths, library.lengths)
    assert (jittered.intensity > 0).all() and len(np.unique(jittered.frequency)) == library.lengths.sum()
    place, size = jittered.frequency / library.frequency, np.log(jittered.intensity / library.intensity)
    assert abs(np.corrcoef(place, size)[0, 1]) < 0.5, "69 independent pairs: four standard errors"


def test_jitter_scales_maps_with_their_spectra(library):
    """Without shifts, the contribution of a group and the spectrum change by the same factor."""
    one = library[[0]]
    one = LineList(
        one.samples, one.groups, np.array([1]), one.frequency[:1], one.intensity[:1], one.motion[:1], one.absorption[:1]
    )
    jittered = jitter_lines(one, shift=0, intensity=1.0, random_state=3)
    factor = jittered.intensity / one.intensity
    assert abs(factor - 1) > 0.1
    for by in ("absorption", "motion"):
        old, new = (group_map(lib, "ether", AXIS, by=by) for lib in (one, jittered))
        assert np.allclose(new, factor * old, rtol=1e-12, atol=0)


def test_jitter_never_below_zero_and_of_an_empty_library(library):
    assert jitter_lines(library, shift=2.0, random_state=0).frequency.min() == 0
    assert len(jitter_lines(library[:0])) == 0


@pytest.mark.parametrize("wrong", [{"shift": -1}, {"intensity": np.nan}, {"shift": "much"}])
def test_jitter_refuses(library, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        jitter_lines(library, **wrong)


# -- Gases ------------------------------------------------------------


@pytest.mark.parametrize("J", [0, 1, 2, 5, 9])
def test_direction_cosines_add_up(J):
    """From each state all directions together lead somewhere: their squares add up to 1 for each turn of the field."""
    for turn in (-1, 0, 1):
        total = sum(
            (module._cosines(J, there, turn) ** 2).sum(axis=0) for there in range(max(J - 1, 0 if J else 1), J + 2)
        )
        assert np.allclose(total, 1, atol=1e-12)


def test_rotor_of_a_symmetric_top():
    """With B = C the energies are known: B J (J + 1) + (A - B) K^2, here less the distortion, which is of the order
    1e-3 J^4."""
    energy, _ = module._rotor(2, 20.0, 10.0, 10.0)
    expected = np.sort([10 * 6 + 10 * k * k for k in (-2, -1, 0, 1, 2)])
    assert np.abs(energy - expected).max() < 0.6


def test_water_levels():
    """Rotational levels of the ground state (cm-1): 1_01 23.794, 1_11 37.137, 1_10 42.372, 2_02 70.091, 2_21 134.902.

    From the line list of HITRAN; our constants have a digit or two fewer: 0.05 cm-1."""
    one, two = (module._rotor(J, *module._WATER_GROUND)[0] for J in (1, 2))
    assert np.allclose(one, [23.794, 37.137, 42.372], atol=0.05)
    assert np.allclose(two[[0, 3]], [70.091, 134.902], atol=0.05)


def test_dioxide_has_even_lines_only_and_a_gap():
    places, intensities = module._dioxide_lines()
    stretch = np.sort(places[(places > 2200) & (intensities > 1)])
    assert np.isclose(np.median(np.diff(stretch)), 4 * 0.39, rtol=0.05), "4 B; with odd J they would be 2 B apart"
    assert 2.2 < np.diff(stretch).max() < 2.5, "no line in the gap: P(2) and R(0) are 6 B apart"
    assert ((places > 667) & (places < 669) & (intensities > 0)).sum() > 20, "Q branch"


@pytest.mark.parametrize("gas", GASES)
@pytest.mark.parametrize("width", [0.5, 4, 16])
def test_highest_is_one_on_an_axis_that_holds_all(gas, width):
    fine = np.arange(500.0, 4100, min(width, 4) / 4)
    assert np.isclose(gas_lines(gas, fine, width).max(), 1, atol=0.02)


def test_gas_lines_of_few_channels_and_their_copy():
    assert gas_lines("water", [1653.3]).shape == (1,)
    first = gas_lines("water", AXIS)
    first[:] = 7
    assert gas_lines("water", AXIS).max() <= 1.001, "what is handed out is a copy of what is remembered"
    coarse = np.arange(500.0, 3900, 17)
    assert np.array_equal(gas_lines("water", coarse), gas_lines("water", coarse, 17)), "no narrower than the channels"


@pytest.mark.parametrize("wrong", [{"gas": "argon"}, {"axis": AXIS[::-1]}, {"width": 0}, {"width": -1}])
def test_gas_lines_refuse(wrong):
    with pytest.raises(ValueError):
        gas_lines(**{"gas": "water", "axis": AXIS} | wrong)


# -- Spectra ------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_zero_strength_is_the_identity(X, dtype):
    X = X.astype(dtype)
    copies = augment_infrared(X, AXIS, copies=3, **NONE)
    assert copies.dtype == dtype and np.array_equal(copies, np.repeat(X, 3, axis=0))


@every
def test_each_disturbs_each_copy_and_leaves_the_input_alone(X, name):
    before = X.copy()
    copies = augment_infrared(X, AXIS, copies=3, **NONE | EACH[name], random_state=0)
    assert np.array_equal(X, before) and copies.shape == (3 * len(X), len(AXIS))
    change = np.abs(copies - np.repeat(X, 3, axis=0)).max(axis=1)
    assert (change > 0).all() and len(np.unique(change)) == len(copies)


@every
def test_seed_and_portions(X, name):
    """The random numbers of a spectrum do not depend on how many come after it in a portion of 256."""
    strengths = NONE | EACH[name]
    one, same, other = (augment_infrared(X, AXIS, copies=2, **strengths, random_state=s) for s in (5, 5, 6))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    many = augment_infrared(np.repeat(X, 100, axis=0), AXIS, **strengths, random_state=0)
    assert many.shape == (400, len(AXIS)) and np.isfinite(many).all()


@every
def test_float32_is_float64_rounded(X, name):
    strengths = NONE | EACH[name]
    double, single = (augment_infrared(X.astype(t), AXIS, **strengths, random_state=0) for t in ("float64", "float32"))
    assert single.dtype == np.float32
    assert np.abs(single - double).max() < 3e-6 * np.abs(X).max() * 10  # a few roundings of the largest value


@every
def test_what_comes_scales_with_the_spectrum(X, name):
    strengths = NONE | EACH[name]
    once, tenfold = (augment_infrared(factor * X, AXIS, **strengths, random_state=0) for factor in (1, 10))
    assert np.allclose(tenfold, 10 * once, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("extra", [2.0, 8.0, 60.0, 400.0])
def test_widths_add_in_squares(extra):
    """Also at half a channel; the widest reaches over the ends of the axis, where the held value differs from the
    band's own tail by little, as the band is far from them."""
    narrow, wide = (broaden([2200], [1], AXIS, w, "gauss") for w in (40, np.hypot(40, extra)))
    found = augment_infrared(narrow[None], AXIS, **NONE | {"width": (extra, extra)})[0]
    assert np.abs(found - wide).max() < 1e-5 * wide.max()


def test_no_end_knows_of_the_other(X):
    step = np.where(AXIS < 520, 1.0, 0.0)[None]
    found = augment_infrared(step, AXIS, **NONE | {"width": (30, 30)})[0]
    assert found[0] > 0.9, "held: a constant end stays" and np.abs(found[-200:]).max() < 1e-9
    flat = np.full((1, len(AXIS)), 3.0)
    assert np.allclose(augment_infrared(flat, AXIS, **NONE | {"width": (0, 300)}, random_state=0), 3, atol=1e-12)


def test_widening_keeps_the_area():
    band = broaden([1800], [5], AXIS, 20, "gauss")[None]
    copies = augment_infrared(band, AXIS, copies=50, **NONE | {"width": (0, 60)}, random_state=0)
    assert np.allclose(copies.sum(axis=1), band.sum(), rtol=1e-9)
    assert copies.max() <= band.max() * (1 + 1e-9) and copies.max(axis=1).min() < 0.5 * band.max()


def test_shift_is_in_wavenumbers():
    band = broaden([2200], [1], AXIS, 60, "gauss")[None]
    copies = augment_infrared(band, AXIS, copies=500, **NONE | {"shift": 3}, random_state=0)
    places = copies @ AXIS / copies.sum(axis=1)
    assert np.abs(places - 2200).max() <= 3.001 and np.isclose(places.std(), 3 / np.sqrt(3), rtol=0.1)


def test_noise_is_white_and_of_the_announced_size():
    """Uniform from 0 to s: the mean square is s^2/3. 1,000 levels tell it to 3 %; 5 sigma: 15 %."""
    X = np.zeros((1, len(AXIS)))
    X[0, 400] = -2.0
    noise = augment_infrared(X, AXIS, copies=1000, **NONE | {"noise": 0.01}, random_state=0) - X
    assert np.isclose(np.mean(noise**2), 0.02**2 / 3, rtol=0.15)
    assert abs(np.mean(noise[:, 1:] * noise[:, :-1])) < 0.01 * np.mean(noise**2)


def test_width_as_one_number_is_the_greatest(X):
    one, pair = (augment_infrared(X, AXIS, **NONE | {"width": w}, random_state=0) for w in (25, (0, 25)))
    assert np.array_equal(one, pair)


def test_degenerate_spectra():
    assert not augment_infrared(np.zeros((2, 850)), AXIS, random_state=0).any(), "nothing has no highest value"
    for axis in ([1000.0], [1000.0, 1010.0]):
        few = augment_infrared(np.ones((3, len(axis))), axis, copies=2, random_state=0)
        assert few.shape == (6, len(axis)) and np.isfinite(few).all()


def test_uneven_axis_without_widening(X):
    assert np.isfinite(augment_infrared(X, AXIS**1.02, width=0, random_state=0)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"copies": 0}, "copies"),
        ({"width": (30, 10)}, "in this order"),
        ({"width": (1, 2, 3)}, "least and the greatest"),
        ({"width": -1}, "width"),
        ({"shift": -1}, "shift"),
        ({"stretch": 1.0}, "stretch"),
        ({"baseline": -0.1}, "baseline"),
        ({"noise": np.inf}, "noise"),
        ({"gases": -0.1}, "gases"),
        ({"axis": AXIS[:-1]}, "849"),
        ({"axis": AXIS[::-1]}, "ascend"),
        ({"X": np.full((1, 850), np.nan)}, "NaN"),
        ({"X": np.ones(850)}, "Reshape"),
    ],
)
def test_bad_input(X, wrong, message):
    with pytest.raises(ValueError, match=message):
        augment_infrared(**{"X": X, "axis": AXIS} | wrong)


def test_memory_is_a_few_times_the_result(X):
    X = np.repeat(X, 500, axis=0)
    augment_infrared(X[:300], AXIS, random_state=0)
    tracemalloc.start()
    augment_infrared(X, AXIS, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * X.nbytes + 20e6
