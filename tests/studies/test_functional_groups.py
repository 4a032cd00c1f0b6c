"""The studies of functional groups: scores, thresholds, split, and the counterfactual spectra."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.data.line_list import line_spectra, load_lines
from deep_chemometrics.infrared.force_constants import GAS_PHASE
from deep_chemometrics.infrared.preparation import GROUP_AXIS
from deep_chemometrics.infrared.scoring import contribution_channels
from studies import functional_groups as study
from studies import group_explanations as physics


def random_truth(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((n, 17)) < 0.3, rng.random((n, 17)) < 0.3


def test_scores_agree_with_scikit_learn():
    from sklearn.metrics import accuracy_score, f1_score

    predicted, truth = random_truth()
    predicted[0] = truth[0]  # at least one molecule all right
    found = study.scores(predicted, truth)
    assert np.isclose(found["macro F1"], f1_score(truth, predicted, average="macro"))
    assert np.isclose(found["molecular F1"], f1_score(truth, predicted, average="samples", zero_division=1))
    assert found["all right"] == accuracy_score(truth, predicted) > 0


def test_a_group_that_neither_is_nor_is_predicted_has_no_score():
    predicted, truth = random_truth()
    predicted[:, 3] = truth[:, 3] = False
    assert np.isnan(study.f1_of_groups(predicted, truth)[3]) and np.isfinite(study.scores(predicted, truth)["macro F1"])


@pytest.mark.parametrize("seed", range(5))
def test_thresholds_are_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    truth = rng.random((50, 3)) < 0.3
    P = np.round(np.clip(0.3 * truth + rng.random((50, 3)) * 0.7, 0, 1), 1)  # many ties
    thresholds = study.best_thresholds(P, truth)
    for p, y, t in zip(P.T, truth.T, thresholds):
        f1 = [2 * ((p >= one) & y).sum() / ((p >= one).sum() + y.sum()) for one in np.unique(p)]
        assert np.isclose(2 * ((p >= t) & y).sum() / ((p >= t).sum() + y.sum()), max(f1))


def test_no_molecule_and_no_family_is_on_both_sides():
    train, test = study.split()
    assert not set(train) & set(test) and len(train) + len(test) == len(study.labels())
    assert not np.isin(study.families()[train], study.families()[test]).any()
    assert 0.17 < len(test) / len(study.labels()) <= 0.2
    X = study.spectra() - study.spectra().mean(axis=1, keepdims=True)
    X /= np.linalg.norm(X, axis=1, keepdims=True)
    assert (X[test[:100]] @ X[train].T).max() <= study.SAME + 1e-6


def test_bits_keep_all_decisions():
    predicted, _ = random_truth()
    P = np.where(predicted, 0.9, 0.1)
    table = study._rows(P, np.full(17, 0.5), "test")
    assert (study.decisions(table) == predicted).all() and table["p0"].isin([26, 230]).all()


def test_all_settings_differ():
    for settings in (study.settings(), physics.settings(), physics.pattern_settings(), physics.agreement_settings()):
        table = pd.DataFrame(settings)
        assert not table.duplicated().any() and len(table) >= 6


def test_table_of_group_frequencies():
    X = np.zeros((2, 850))
    X[0, np.abs(GROUP_AXIS - 2240) < 10] = 1  # a nitrile's band
    scores = pd.DataFrame(study.table_scores(X), columns=study.GROUPS)
    assert scores.loc[0, "nitrile"] == 1 and scores.loc[1, "nitrile"] == 0 and scores.loc[0, "ketone"] == 0


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_intervals_are_those_of_a_bootstrap_by_hand(n_seeds):
    truth = random_truth()[1]
    seeds = [random_truth(seed=seed)[0] for seed in range(n_seeds)]
    found = study.bootstrap(seeds, truth, draws=40)
    rng, drawn = np.random.default_rng(0), []
    for _ in range(40):
        rows = rng.integers(0, len(truth), len(truth))
        drawn.append(pd.DataFrame([study.scores(one[rows], truth[rows]) for one in seeds]).mean())
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0) - np.mean(drawn, axis=0)
    mean = np.mean([list(study.scores(one, truth).values()) for one in seeds], axis=0)
    assert np.allclose(found["mean"], mean) and np.allclose(found["low"], mean + low)
    assert np.allclose(found["high"], mean + high), "all seeds count"


# Counterfactual spectra


def test_only_foreign_vibrations_are_removed():
    library = load_lines()[physics.explained("nitrile")[:5]]
    before = study.normalise_infrared(line_spectra(library, GROUP_AXIS, study.WIDTH))
    own = physics.without_vibrations(library, "nitrile", 2220.0)  # the nitriles' own band lies there
    column = study.GROUPS.index("nitrile")
    inside = (library.frequency >= 2220) & (library.frequency < 2260)
    assert inside.any() and (library.motion[inside, column] > 0.1).all() and np.allclose(own, before)
    assert not np.allclose(physics.without_vibrations(library, "nitrile", 2900.0), before)


def test_a_band_is_added_where_it_should_be():
    library = load_lines()[:6]
    before = study.normalise_infrared(line_spectra(library, GROUP_AXIS, study.WIDTH))
    after = physics.with_band(library, 1980.0)
    place = np.abs(GROUP_AXIS - 2000) < 3
    assert (after[:, place].max(axis=1) > before[:, place].max(axis=1) + 0.1).all()
    assert len(physics.with_band(library, 1980.0)) == 6 and np.allclose(after.max(axis=1), 1)


def test_windows_tile_the_axis():
    X = np.random.default_rng(0).random((3, 850))
    assert physics.in_windows(X).shape == (3, 85) and np.allclose(physics.in_windows(X).sum(axis=1), X.sum(axis=1))
    assert physics.in_windows((GROUP_AXIS == 1000.0).astype(float)).argmax() == 12, "980 to 1020"


def test_true_map_lies_where_the_group_absorbs():
    truth = physics.true_map("nitrile")
    assert truth.min() >= 0 and contribution_channels(truth).any(axis=1).all()
    assert (
        np.abs(GROUP_AXIS[truth[:, (GROUP_AXIS > 2000)].argmax(axis=1) + (GROUP_AXIS <= 2000).sum()] - 2240) < 120
    ).mean() > 0.9
    assert physics.table_map("nitrile").sum() == ((GROUP_AXIS >= 2220) & (GROUP_AXIS <= 2260)).sum()


# What must not be in the library


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("DC_TESTDATA"), reason="DC_TESTDATA does not name the outside data")
def test_no_held_out_molecule_is_in_the_library():
    """Neither those of the measured spectra nor the others that are kept for a final test."""
    pytest.importorskip("rdkit")
    from rdkit import Chem, rdBase

    listed = Path(os.environ["DC_TESTDATA"], "held_out_inchikeys.txt").read_text("utf-8").split()
    held_out = {key.split("-")[0] for key in listed}
    with rdBase.BlockLogs():
        measured = {Chem.MolToInchiKey(Chem.MolFromSmiles(one)).split("-")[0] for one in GAS_PHASE.values()}
        inside = {Chem.MolToInchiKey(Chem.MolFromSmiles(one)).split("-")[0] for one in load_lines().samples["smiles"]}
    assert len(inside) == len(load_lines()), "each molecule once"
    assert measured <= held_out | {"XLYOFNOQVPJJNP"}, "water has no group, and fewer than four heavy atoms"
    assert not inside & (held_out | measured)
