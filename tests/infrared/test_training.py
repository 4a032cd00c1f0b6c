"""Training of networks for functional groups: labels, thresholds, calibration, and that a model learns and is saved."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.data import SpectralDataset
from deep_chemometrics.data.broadening import broaden
from deep_chemometrics.infrared import GROUP_SMARTS, load_group_model, predict_groups, train_group_model
from deep_chemometrics.infrared.prediction import NEEDED_ON_CARD, save_group_model
from deep_chemometrics.infrared.preparation import GROUP_AXIS
from deep_chemometrics.infrared.training import best_thresholds, fit_calibration, group_labels
from deep_chemometrics.networks.backend import keras

GROUPS = list(GROUP_SMARTS)


def dense(n_channels, n_targets, seed):
    "One layer: enough for groups that are one band each."
    inputs = keras.Input((n_channels,))
    start = keras.initializers.GlorotUniform(seed)
    return keras.Model(inputs, keras.layers.Dense(n_targets, kernel_initializer=start)(inputs))


@pytest.fixture(scope="module")
def ds():
    """200 spectra with a band at 1740 for ketones, at 2250 for nitriles, and one that all have."""
    rng = np.random.default_rng(0)
    Y = pd.DataFrame(0, index=range(200), columns=GROUPS)
    Y["ketone"], Y["nitrile"] = rng.integers(0, 2, (2, 200))
    heights = np.column_stack([np.ones(200), Y["ketone"], Y["nitrile"]]) * rng.uniform(0.5, 1, (200, 3))
    X = broaden([[2950, 1740, 2250]] * 200, heights, GROUP_AXIS, 30)
    return SpectralDataset(X=X, y=Y, axis=GROUP_AXIS, axis_name="wavenumber", axis_unit="cm-1", name="two groups")


@pytest.fixture(scope="module")
def model(ds):
    settings = dict(n_members=2, epochs=25, copies=1, learning_rate=0.02)
    return train_group_model(ds[:150], dense, **settings, card={"licence": "MIT", "limits": "two groups"})


def test_it_learns_what_can_be_learnt(ds, model):
    scores = predict_groups(ds[150:], model)
    for group in ("ketone", "nitrile"):
        assert ((scores[group] >= 0.5) == ds[150:].y[group].to_numpy(bool)).mean() > 0.9, group
    assert len(model.members) == 2 and model.domain is not None and model.calibration.shape == (17, 2)
    assert not np.allclose(*(m.get_weights()[0] for m in model.members)), "seeds differ"


def test_groups_that_never_occur_keep_neutral_values(model):
    never = [k for k, group in enumerate(GROUPS) if group not in ("ketone", "nitrile")]
    assert (model.thresholds[never] == 0.5).all() and (model.calibration[never] == [1, 0]).all()


@pytest.mark.slow
def test_a_seed_repeats(ds):
    settings = dict(architecture=dense, n_members=1, epochs=2, copies=1)
    first, second, other = (train_group_model(ds[:60], **settings, random_state=seed) for seed in (3, 3, 4))
    X = np.random.default_rng(0).random((3, 850))
    assert np.array_equal(first.predict(X), second.predict(X)) and not np.array_equal(
        first.predict(X), other.predict(X)
    )


def test_it_is_saved_and_loaded(model, ds, tmp_path):
    assert all(model.card[name] for name in NEEDED_ON_CARD)
    loaded = load_group_model(save_group_model(tmp_path, **vars(model)))
    for probabilities in (False, True):
        before, after = (predict_groups(ds[:5], m, probabilities=probabilities) for m in (model, loaded))
        assert np.allclose(before, after, atol=1e-6)


def test_without_a_validation_part(ds):
    plain = train_group_model(ds[:40], dense, 1, 2, copies=0, validation_fraction=0)
    assert plain.calibration is None
    with pytest.raises(ValueError, match="no calibration"):
        predict_groups(ds[:1], plain, probabilities=True)


def test_a_molecule_is_never_on_both_sides():
    from deep_chemometrics.infrared.training import _molecules, _validation_part

    molecules = np.repeat(np.arange(30), 4)
    held_back = _validation_part(molecules, 0.2, np.random.RandomState(0))
    assert held_back.sum() == 24 and not set(molecules[held_back]) & set(molecules[~held_back])
    twice = SpectralDataset(X=np.ones((3, 2)), axis=[1.0, 2.0], samples={"smiles": ["C", "CC", "C"]})
    assert _molecules(twice).tolist() == [0, 1, 0]


def test_labels(ds):
    assert np.array_equal(group_labels(ds), ds.y.to_numpy(bool))
    turned = replace(ds, y=ds.y[GROUPS[::-1]])
    assert np.array_equal(group_labels(turned), ds.y.to_numpy(bool)), "columns go by their names"
    pytest.importorskip("rdkit", reason="rdkit is not installed")
    smiles = replace(ds[:2], y=None, samples={"smiles": ["CC(C)=O", "CC#N"]})
    found = pd.DataFrame(group_labels(smiles), columns=GROUPS)
    assert found["ketone"].tolist() == [True, False] and found["nitrile"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ds: replace(ds, y=None), "tells no groups"),
        (lambda ds: replace(ds, y=ds.y[["ketone"]]), "tells no groups"),
        (lambda ds: replace(ds, y=ds.y * 2), "0 or 1"),
    ],
)
def test_what_is_no_label(ds, change, message):
    with pytest.raises(ValueError, match=message):
        train_group_model(change(ds), dense)


@pytest.mark.parametrize(
    "wrong", [{"n_members": 0}, {"copies": -1}, {"validation_fraction": 1.0}, {"epochs": 0}, {"refining": -1}]
)
def test_wrong_settings(ds, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        train_group_model(ds[:20], dense, **wrong)


def test_thresholds_have_the_best_f1():
    rng = np.random.default_rng(0)
    P, Y = rng.random((60, 3)).round(2), rng.random((60, 3)) < 0.3
    found = best_thresholds(P, Y)
    for k in range(3):
        f1 = [2 * ((P[:, k] >= t) & Y[:, k]).sum() / ((P[:, k] >= t).sum() + Y[:, k].sum()) for t in np.unique(P[:, k])]
        mine = P[:, k] >= found[k]
        assert np.isclose(2 * (mine & Y[:, k]).sum() / (mine.sum() + Y[:, k].sum()), max(f1))


def test_calibration_of_calibrated_predictions_is_the_identity():
    rng = np.random.default_rng(0)
    P = rng.random((20_000, 1))
    found = fit_calibration(P, rng.random((20_000, 1)) < P)
    assert np.allclose(found, [[1, 0]], atol=0.06)
    assert fit_calibration(1 - P, rng.random((20_000, 1)) < P).tolist() == [[1, 0]], "no slope below 0"


# -- Spectra as other instruments show them, and networks that see what is missing --------------------------------


def test_varied_copies_are_prepared_spectra_whose_missing_ends_are_zero():
    from deep_chemometrics.infrared.training import vary_infrared

    bands = broaden([[1000, 1740, 2950]] * 40, [[1, 2, 1]] * 40, GROUP_AXIS, 30) + 0.1
    bands[:20, GROUP_AXIS < 620] = 0
    varied = vary_infrared(bands, 3, np.random.RandomState(0))
    assert varied.shape == (120, 850) and varied.dtype == np.float32 and np.isfinite(varied).all()
    assert np.allclose(varied.max(axis=1), 1) and (varied[:60, GROUP_AXIS < 620] == 0).all()
    begins = GROUP_AXIS[(varied != 0).argmax(axis=1)]
    ends = GROUP_AXIS[849 - (varied != 0)[:, ::-1].argmax(axis=1)]
    assert begins.max() <= 704 and ends.min() >= 3196 and (begins > 640).any() and (ends < 3600).any()
    assert np.array_equal(varied, vary_infrared(bands, 3, np.random.RandomState(0)))


def test_the_second_stage_goes_on_from_a_network_and_leaves_it_as_it_is(ds):
    """Its cross-entropy falls; the same generator gives the same numbers."""
    from deep_chemometrics.infrared import prepare_infrared
    from deep_chemometrics.infrared.training import train_further

    inputs = keras.Input((850,))
    start = keras.Model(inputs, keras.layers.Dense(2, "sigmoid", kernel_initializer="zeros")(inputs))
    X, Y = prepare_infrared(ds[:100]).X, ds.y[["ketone", "nitrile"]][:100].to_numpy() == 1
    first, second = (train_further(start, X, Y, np.random.RandomState(1), 12, 0.03) for _ in range(2))
    assert np.array_equal(start.predict(X[:3], verbose=0), np.full((3, 2), 0.5))
    P = first.predict(X, verbose=0)
    assert -np.mean(np.where(Y, np.log(P), np.log(1 - P))) < 0.5 < np.log(2)
    assert np.array_equal(P, second.predict(X, verbose=0))


def test_weakly_varied_copies_stay_close():
    from deep_chemometrics.infrared.training import vary_infrared, vary_weakly

    bands = broaden([[1000, 1740, 2950]] * 40, [[1, 2, 1]] * 40, GROUP_AXIS, 30).astype(np.float32)
    plain = bands / bands.max(axis=1, keepdims=True)
    inside = (GROUP_AXIS > 720) & (GROUP_AXIS < 3180)
    weak, strong = vary_weakly(plain, np.random.RandomState(0)), vary_infrared(plain, 1, np.random.RandomState(0))
    far = [np.abs(X - plain)[:, inside].mean() for X in (weak, strong)]
    assert far[0] < 0.4 * far[1], far
    assert np.allclose(weak.max(axis=1), 1) and (weak == 0).any()


@pytest.mark.slow
def test_fast_pooling_changes_no_number():
    from deep_chemometrics.infrared.training import _Pooling, fast_pooling, usual_pooling
    from deep_chemometrics.networks import fganet, group_net

    X = np.random.default_rng(0).random((3, 850))
    for architecture in (fganet, group_net):
        usual = architecture(850, 17, seed=0)
        fast = fast_pooling(architecture)(850, 17, seed=0)
        assert any(isinstance(layer, _Pooling) for layer in fast.layers)
        fast.set_weights(usual.get_weights())
        expected = usual.predict(X, verbose=0)
        assert np.allclose(fast.predict(X, verbose=0), expected, atol=1e-5)
        back = usual_pooling(fast)
        assert not any(isinstance(layer, _Pooling) for layer in back.layers)
        assert np.allclose(back.predict(X, verbose=0), expected, atol=1e-5)
    assert fast_pooling(dense)(850, 17, 0).layers, "without pooling it stays"


def test_coverage_tells_missing_from_absent(tmp_path):
    from deep_chemometrics.networks import group_net
    from deep_chemometrics.networks.saving import read_model, write_model

    X = np.full((2, 850), 1e-12)
    X[1, :100] = 0
    plain, with_coverage = (group_net(850, 17, coverage=c, seed=0) for c in (False, True))
    assert np.allclose(*plain.predict(X, verbose=0), atol=1e-6)
    assert not np.allclose(*with_coverage.predict(X, verbose=0), atol=1e-3)
    write_model(tmp_path / "net.keras", with_coverage, {})
    again = read_model(tmp_path / "net.keras")[0]
    assert np.allclose(again.predict(X, verbose=0), with_coverage.predict(X, verbose=0))


def test_spellings_of_one_molecule_stay_together():
    pytest.importorskip("rdkit", reason="rdkit is not installed")
    from deep_chemometrics.infrared.training import _molecules

    ds = SpectralDataset(X=np.ones((3, 2)), axis=[1.0, 2.0], samples={"smiles": ["OCC", "CC", "CCO"]})
    assert _molecules(ds).tolist() == [0, 1, 0]
