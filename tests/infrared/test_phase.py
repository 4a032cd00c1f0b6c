"""Gas or condensed phase: what is fitted, stored and refused, and what the model of the package tells."""

import warnings

import numpy as np
import pytest

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data.broadening import broaden
from deep_chemometrics.infrared.phase import SEEN, PhaseModel, fit_phase
from deep_chemometrics.infrared.preparation import GROUP_AXIS, normalise_infrared

N = int(SEEN.sum())


def spectra(n, gas, seed=0):
    "A band at random, and the C=O stretch: of gases 25 cm-1 higher."
    rng = np.random.default_rng(seed)
    positions = [[rng.uniform(800, 1500), (1735 if gas else 1710) + rng.normal(0, 4)] for _ in range(n)]
    return normalise_infrared(broaden(positions, [[20, 20]] * n, GROUP_AXIS, 20))


def both(n, seed):
    return np.concatenate([spectra(n, True, seed), spectra(n, False, seed + 1)]), np.arange(2 * n) < n


@pytest.fixture(scope="module")
def model():
    return fit_phase(*both(60, 0), *both(40, 2))


def test_bands_tell_the_phase(model):
    X, gas = both(40, 4)
    told = model.predict(X)
    sure = told != "unclear"
    assert sure.mean() > 0.8
    assert (told[sure] == np.where(gas, "gas", "condensed")[sure]).mean() > 0.95
    assert ((model.predict_proba(X) > 0.5) == gas).mean() > 0.9


def test_what_lies_outside_the_range_does_not_count(model):
    X, _ = both(5, 6)
    more = X.copy()
    more[:, ~SEEN] = np.random.default_rng(0).random((10, (~SEEN).sum()))
    more[:, -10:] = 3.0  # the highest of all
    assert np.array_equal(model.predict_proba(more), model.predict_proba(X))


def test_a_spectrum_without_a_band_is_unclear():
    sure = PhaseModel(np.zeros(N), 9.0, 0.6)
    X = np.zeros((3, 850))
    X[1, 300] = 1.0
    X[2, -1] = 1.0  # beyond the range
    assert sure.predict(X).tolist() == ["unclear", "gas", "unclear"]


def test_few_of_those_that_are_told_are_wrong():
    """With a useless spectrum nothing is told; with a stricter share less is told."""
    rng = np.random.default_rng(0)
    X, gas = rng.random((200, 850)), rng.random(200) > 0.5
    assert (fit_phase(X[:100], gas[:100], X[100:], gas[100:]).predict(X[100:]) == "unclear").mean() > 0.8
    noisy = [(X + rng.normal(0, 0.2, X.shape), gas) for X, gas in (both(60, 0), both(60, 2))]
    limits = [fit_phase(*noisy[0], *noisy[1], wrong=wrong).limit for wrong in (0.0, 0.02, 0.2)]
    assert limits[0] >= limits[1] >= limits[2] >= 0.5
    X, gas = noisy[1]
    told = fit_phase(*noisy[0], X, gas, wrong=0.02).predict(X)
    assert (told == np.where(gas, "condensed", "gas")).sum() <= 0.02 * (told != "unclear").sum()


def test_saved_and_loaded(model, tmp_path):
    path = model.save(tmp_path / "phase.npz")
    assert path.stat().st_size < 10_000
    loaded = PhaseModel.load(path)
    assert np.array_equal(loaded.weights, model.weights)
    assert (loaded.intercept, loaded.limit) == (model.intercept, model.limit)


def broken(path, **changes):
    arrays = {"weights": np.zeros(N), "intercept": np.float64(0), "limit": np.float64(0.9)} | changes
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": np.zeros(3)},
        {"weights": np.full(N, np.nan)},
        {"weights": np.array([{}] * N)},
        {"limit": None},
        {"intercept": np.array("a")},
    ],
)
def test_a_damaged_file(tmp_path, changes):
    broken(tmp_path / "phase.npz", **changes)
    with pytest.raises(ValueError, match=r"'phase.npz' holds no model of the phase, or is damaged"):
        PhaseModel.load(tmp_path / "phase.npz")


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        PhaseModel.load(tmp_path / "phase.npz")
    with pytest.raises(ValueError, match=r"end in \.npz"):
        PhaseModel(np.zeros(N), 0.0, 0.9).save(tmp_path / "phase.txt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, gas: (X, gas | True), "both phases must occur"),
        (lambda X, gas: (X, gas[:3]), "both phases must occur"),
        (lambda X, gas: (X[:, :9], gas), "850"),
        (lambda X, gas: (np.full_like(X, np.nan), gas), "NaN|finite"),
    ],
)
def test_fitting_refuses(change, message):
    X, gas = both(10, 0)
    with pytest.raises(ValueError, match=message):
        fit_phase(*change(X, gas), X, gas)


@pytest.mark.slow
def test_the_package_tells_computed_gases_and_soils():
    """Neither was trained on; a soil lies outside the applicability domain."""
    from deep_chemometrics.data import load_computed_ir, load_soil
    from deep_chemometrics.infrared import load_group_model, predict_groups

    ds = load_computed_ir()[::25]
    table = predict_groups(ds, phase=True)
    assert list(table)[-1] == "phase"
    assert set(table["phase"]) <= {"gas", "condensed", "unclear"}
    assert (table["phase"] == "gas").mean() > 0.5
    assert (table["phase"] == "condensed").mean() < 0.02
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        soils = load_soil()[::25]
        assert (predict_groups(soils, phase=True)["phase"] == "unclear").mean() > 0.9
    assert any("none of them trained on" in line for line in load_group_model().card["phase"])
