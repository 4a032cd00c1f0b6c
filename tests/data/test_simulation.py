"""Simulated spectra: Lambert and Beer, the oracle, what each setting does, and that it is the same again."""

import pickle
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deep_chemometrics.data import simulate_spectra
from deep_chemometrics.data import simulation as simulate
from deep_chemometrics.data.broadening import broaden
from deep_chemometrics.data.simulation import DIFFICULTIES, Difficulty, band_mask
from deep_chemometrics.preprocessing import EMSC


def on(sim, role="train", instrument=1):
    return sim.where(role=role, instrument=instrument)


@pytest.mark.parametrize("name", DIFFICULTIES)
@pytest.mark.parametrize(("task", "n_targets"), [("regression", 1), ("classification", 3)])
def test_every_difficulty_and_task(name, task, n_targets):
    sim = simulate_spectra(30, name, n_test=10, task=task, n_targets=n_targets, random_state=0)
    d, n = DIFFICULTIES[name], 50 * (1 + DIFFICULTIES[name].two_instruments)
    m = n_targets + d.n_interferents + (d.confounder is not None)
    assert sim.dataset.X.shape == sim.clean.shape == (n, 200) and len(sim) == n
    assert sim.pure.shape == (m, 200) and sim.concentrations.shape == (n, m) and sim.mean.shape == (m,)
    assert sim.mask.shape == sim.oracle.shape == (n_targets, 200) and sim.mask.dtype == bool
    assert sim.mask.any(axis=1).all() and not sim.mask.all(axis=1).any()
    assert np.isfinite(sim.dataset.X).all() and sim.concentrations.to_numpy().min() >= 0
    assert sim.concentrations.to_numpy().max() <= 1
    counts = sim.dataset.samples.groupby(["instrument", "role"]).size()
    assert counts[1].to_dict() == {"train": 30, "test": 10, "shifted": 10}
    y, c = sim.dataset.y.to_numpy(), sim.concentrations.to_numpy()[:, :n_targets]
    assert np.array_equal(y, c if task == "regression" else c > 0)
    assert list(sim.dataset.y) == list(sim.concentrations)[:n_targets]
    assert sim.settings["difficulty"] == name and sim.settings["noise"] == d.noise


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**31 - 1),
    st.integers(0, 3),
    st.integers(1, 3),
    st.floats(0, 0.7),
    st.sampled_from(["gauss", "lorentz", "voigt"]),
    st.floats(0, 3),
    st.floats(0, 0.5),
)
def test_lambert_beer_and_the_oracle(seed, n_interferents, n_targets, overlap, shape, matrix, scatter):
    sim = simulate_spectra(
        8, n_interferents=n_interferents, n_targets=n_targets, overlap=overlap, shape=shape, matrix=matrix,
        offset=scatter, slope=scatter, noise=0, random_state=seed,
    )  # fmt: skip
    c, samples = sim.concentrations.to_numpy(), sim.dataset.samples
    assert np.allclose(sim.clean, c @ sim.pure + sim.matrix)
    t = np.linspace(-0.5, 0.5, 200)
    added = samples["offset"].to_numpy()[:, None] + samples["slope"].to_numpy()[:, None] * t
    assert np.allclose(sim.dataset.X, sim.clean + added)
    # exact but for rounding, which bands that nearly coincide multiply by the condition of the pure spectra
    rounding = 1e-12 * np.linalg.norm(sim.oracle, axis=1).max() * 200 * (1 + np.abs(sim.dataset.X).max())
    assert np.abs(sim.dataset.X @ sim.oracle.T - sim.dataset.y.to_numpy()).max() < max(rounding, 1e-9)
    for target in range(n_targets):
        apart = c[:, target] - c[:8, target].mean()
        assert np.allclose(sim.contributions(target).sum(axis=1), apart, atol=max(rounding, 1e-9))
        assert np.allclose(sim.signal(target), apart[:, None] * sim.pure[target])


def test_the_oracle_has_the_least_variance_of_all_unbiased_vectors():
    sim = simulate_spectra(2, "noise", random_state=0)
    sd = simulate._noise_levels(sim.dataset.axis, DIFFICULTIES["noise"])
    assert sd[-1] > 8 * sd[0]
    plain = np.linalg.pinv(sim.pure)[:, 0]
    best = np.sqrt(np.sum((sim.oracle[0] * sd) ** 2))
    assert np.allclose(sim.oracle[0] @ sim.pure.T, [1, 0, 0]) and np.allclose(plain @ sim.pure.T, [1, 0, 0])
    assert best < 0.99 * np.sqrt(np.sum((plain * sd) ** 2))
    rng = np.random.default_rng(0)
    for _ in range(20):
        away = rng.normal(size=200)
        away -= away @ np.linalg.pinv(sim.pure) @ sim.pure  # unbiased still
        assert best < np.sqrt(np.sum(((sim.oracle[0] + 1e-3 * away) * sd) ** 2))
    many = simulate_spectra(4000, "noise", n_test=1, random_state=0)
    error = np.std(on(many).dataset.X @ many.oracle[0] - on(many).dataset.y["target"])
    assert np.isclose(error, best, rtol=5 / np.sqrt(2 * 4000)), "as large as the theory says"


def test_same_seed_same_spectra():
    one, two, other = (simulate_spectra(20, "hard", random_state=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.dataset.X, two.dataset.X) and not np.array_equal(one.dataset.X, other.dataset.X)
    states = [np.random.RandomState(3) for _ in "12"]
    assert np.array_equal(*(simulate_spectra(20, random_state=s).dataset.X for s in states))


def test_streams_are_apart():
    few, many = (simulate_spectra(n, "hard", n_test=15, random_state=0) for n in (20, 40))
    for role in ("test", "shifted"):
        for instrument in (1, 2):
            assert np.array_equal(*(on(s, role, instrument).dataset.X for s in (few, many)))
    assert np.array_equal(few.pure, many.pure) and np.array_equal(few.clean[:20], many.clean[:20])
    for name in ("noise", "instrument", "easy"):
        assert np.array_equal(*(simulate_spectra(10, n, random_state=1).clean[:20] for n in ("easy", name)))
    a, b = (on(few, role).dataset.X for role in ("test", "shifted"))
    assert not np.array_equal(a, b)


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("task", ["regression", "classification"])
def test_correlation_of_the_confounder(correlation, task):
    n = 4000
    sim = simulate_spectra(n, confounder=correlation, n_test=n, n_targets=2, task=task, prevalence=0.3, random_state=0)
    for role, expected in (("train", correlation), ("test", correlation), ("shifted", 0)):
        c = on(sim, role).concentrations
        values = c if task == "regression" else c > 0
        found = values.corr()
        assert abs(found.loc["target 1", "confounder"] - expected) < 5 / np.sqrt(n)  # standard error at 0, the largest
        assert abs(found.loc["target 2", "confounder"]) < 5 / np.sqrt(n)
        assert abs(found.loc["target 1", "interferent 1"]) < 5 / np.sqrt(n)


def test_concentrations_are_even_or_absent():
    even = on(simulate_spectra(4000, random_state=0)).concentrations
    assert np.abs(even.mean() - 0.5).max() < 5 / np.sqrt(12 * 4000) and np.abs(even.var() - 1 / 12).max() < 0.01
    there = on(simulate_spectra(4000, task="classification", prevalence=0.2, random_state=0)).concentrations
    assert np.abs((there > 0).mean() - 0.2).max() < 5 * 0.4 / np.sqrt(4000)
    assert there.to_numpy()[there.to_numpy() > 0].min() >= 0.2


def test_scatter_is_what_the_table_says():
    sim = simulate_spectra(300, "scatter", noise=0, random_state=0)
    d, found = DIFFICULTIES["scatter"], sim.dataset.samples[["offset", "slope", "gain"]]
    for name in found:
        width = getattr(d, name)
        assert 0.97 * width < np.abs(found[name]).max() <= width
    row = 7
    emsc = EMSC(order=1, reference=sim.clean[row]).fit(sim.clean[:2])
    gain, offset, slope = emsc.coefficients(sim.dataset.X[row : row + 1])[0]
    assert np.allclose([offset, 2 * slope, gain - 1], found.iloc[row], atol=1e-9)


def test_noise_rises_at_the_end():
    sim = simulate_spectra(2000, "noise", n_test=1, random_state=0)
    sd = np.std(sim.dataset.X - sim.clean, axis=0)
    assert np.allclose(sd[:100], 0.02, rtol=0.12) and np.isclose(sd[-1], 0.22, rtol=0.12)  # relative s.e. 1.6 %


def test_stray_light_ends_absorbance():
    linear, nonlinear = (simulate_spectra(50, height=4, noise=0, stray_light=s, random_state=0) for s in (0, 0.01))
    assert linear.dataset.X.max() > 3 and nonlinear.dataset.X.max() < np.log10(1.01 / 0.01)
    small = linear.dataset.X < 0.01
    assert np.allclose(linear.dataset.X[small], nonlinear.dataset.X[small], atol=2e-4)
    T = 10.0**-linear.dataset.X
    assert np.allclose(nonlinear.dataset.X, -np.log10((T + 0.01) / 1.01))


@pytest.mark.parametrize(
    ("change", "moment"), [({"shift": 0.2}, "place"), ({"resolution": 1.0}, "width"), ({"detector": 0.1}, "height")]
)
def test_what_instrument_2_does(change, moment):
    axis = np.linspace(0, 1000, 1001)
    pure = broaden([[500], [200]], 40.0, axis, 40, "gauss")  # of the nominal width, 0.04 of the range
    sim = simulate_spectra(20, pure=pure, axis=axis, noise=0, **change, random_state=0)
    here, there = (on(sim, "train", i) for i in (1, 2))
    assert here.dataset.samples["sample"].tolist() == there.dataset.samples["sample"].tolist()
    assert np.allclose(here.clean, there.clean) and np.allclose(here.dataset.X, here.clean)
    c = here.concentrations.to_numpy()
    seen = np.linalg.lstsq(c, there.dataset.X, rcond=None)[0]
    assert np.allclose(c @ seen, there.dataset.X), "linear in the concentrations"
    weights = [s / s.sum() for s in (pure[0], seen[0])]
    place = [w @ axis for w in weights]
    spread = [np.sqrt(w @ (axis - p) ** 2) for w, p in zip(weights, place)]
    area = [pure[0].sum(), seen[0].sum()]
    if moment == "place":
        assert np.isclose(place[1] - place[0], 0.2 * 40, rtol=1e-3) and np.isclose(*spread, rtol=1e-3)
    if moment == "width":
        assert np.isclose(spread[1], np.sqrt(2) * spread[0], rtol=1e-3) and np.isclose(*area, rtol=1e-3)
    if moment == "height":
        assert 0 < np.abs(seen / np.maximum(pure, 1e-9) - 1)[pure > 0.1].max() <= 0.1 + 1e-9


def test_overlap_moves_bands_onto_the_target():
    def shared(overlap):
        found = [simulate_spectra(2, "overlap", overlap=overlap, random_state=s) for s in range(10)]
        return np.mean([s.pure[1:, s.mask[0]].sum() / s.pure[1:].sum() for s in found])

    assert shared(0) < 0.1 < 0.4 < shared(0.7) < shared(1)


def test_strength_height_and_mask():
    sim = simulate_spectra(2, height=2, strength=0.25, n_targets=2, random_state=0)
    assert np.allclose(sim.pure.max(axis=1), [0.5, 0.5, 2, 2])
    assert np.array_equal(sim.mask, sim.pure[:2] > 0.1 * 0.5)
    wide, narrow = (simulate_spectra(2, share=s, random_state=0).mask.sum() for s in (0.01, 0.5))
    assert wide > 1.5 * narrow


def test_own_pure_spectra_and_axis():
    axis, pure = np.linspace(500, 3900, 340), np.random.default_rng(0).random((4, 340))
    sim = simulate_spectra(10, "confounded", pure=pure, axis=axis, axis_unit="cm-1", random_state=0)
    assert list(sim.concentrations) == ["target", "interferent 1", "interferent 2", "confounder"]
    assert np.array_equal(sim.pure, pure) and sim.dataset.axis_name == "wavenumber"
    assert pure.flags.writeable, "the caller's array stays the caller's"


def test_rows_stay_together():
    sim = simulate_spectra(30, "hard", random_state=0)
    part = sim.where(role="shifted", instrument=2)
    rows = sim.dataset.samples.query("role == 'shifted' and instrument == 2").index
    assert np.array_equal(part.dataset.X, sim.dataset.X[rows]) and np.array_equal(part.clean, sim.clean[rows])
    assert np.array_equal(part.concentrations, sim.concentrations.iloc[rows])
    assert np.array_equal(part.contributions(), sim.contributions()[rows]), "relative to the training mean still"
    assert len(sim[3]) == 1 and len(sim[:5]) == 5
    again = pickle.loads(pickle.dumps(part))
    assert np.array_equal(again.dataset.X, part.dataset.X)
    with pytest.raises(ValueError, match="read-only"):
        sim.pure[0] = 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (dict(difficulty="impossible"), "difficulty='impossible'"),
        (dict(nois=1), "setting='nois'"),
        (dict(n_samples=0), "n_samples=0"),
        (dict(n_test=0), "n_test=0"),
        (dict(n_targets=0), "n_targets=0"),
        (dict(task="ranking"), "task='ranking'"),
        (dict(share=1), "share=1"),
        (dict(axis=[3, 2, 1]), "ascend"),
        (dict(axis=[1.0]), "fewer than 2"),
        (dict(axis_unit="eV"), "axis_unit='eV'"),
        (dict(n_interferents=200), "cannot be told apart"),
        (dict(pure=np.ones((2, 200))), "cannot be told apart"),
        (dict(pure=np.zeros((1, 200))), "cannot be told apart"),
        (dict(pure=np.ones((2, 7))), "pure has 7 channels"),
        (dict(pure=np.ones((1, 200)), confounder=0.5), "too few"),
        (dict(pure=np.full((2, 200), np.nan)), "NaN"),
        (dict(noise=-1), "noise=-1"),
        (dict(noise=np.nan), "noise=nan"),
        (dict(width=0), "width=0"),
        (dict(prevalence=1), "prevalence=1"),
        (dict(overlap=1.1), "overlap=1.1"),
        (dict(confounder=-0.1), "confounder=-0.1"),
        (dict(n_bands=0), "n_bands=0"),
        (dict(n_interferents=-1), "n_interferents=-1"),
        (dict(shape="box"), "shape='box'"),
        (dict(shift=np.inf), "shift=inf"),
        (dict(random_state="x"), "random|seed"),
    ],
)
def test_bad_input(given, words):
    with pytest.raises(ValueError, match=words):
        simulate_spectra(**given)


def test_targets_and_shares_that_do_not_exist():
    sim = simulate_spectra(3, random_state=0)
    for target in (1, -1, 0.0):
        with pytest.raises(ValueError, match="target="):
            sim.signal(target)
    with pytest.raises(ValueError, match="NaN"):
        band_mask([np.nan, 1])


def test_difficulties_are_settings_only():
    assert all(isinstance(d, Difficulty) for d in DIFFICULTIES.values())
    own = replace(DIFFICULTIES["easy"], noise=0.5)
    assert simulate_spectra(3, own, random_state=0).settings | asdict(own) == simulate_spectra(3, own).settings
    assert {"Simulation", "simulate_spectra", "DIFFICULTIES"} <= set(simulate.__all__)
