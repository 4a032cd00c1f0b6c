"""Scores of explanations: known explanations, another program for the area, and the numbers that a study stored."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from deep_chemometrics.data.line_list import line_spectra, load_lines
from deep_chemometrics.infrared import group_map, score_group_explanations
from deep_chemometrics.infrared.preparation import GROUP_AXIS
from deep_chemometrics.infrared.scoring import contribution_channels

RESULTS = Path(__file__).resolve().parents[2] / "studies" / "results" / "group_explanations"


@pytest.fixture(scope="module")
def lines():
    lines = load_lines()
    return lines[lines.groups["nitrile"]][:8]


def test_the_contribution_itself_is_perfect(lines):
    perfect = group_map(lines, "nitrile", GROUP_AXIS, by="motion")
    scores = score_group_explanations(perfect, GROUP_AXIS, lines, "nitrile")
    assert np.allclose(scores["auc"], 1) and np.allclose(scores["correlation"], 1)
    assert (scores["band_auc"] > 0.85).all()
    turned = score_group_explanations(-3 * perfect, GROUP_AXIS, lines, "nitrile")
    pd.testing.assert_frame_equal(turned, scores)


@pytest.mark.parametrize("by", ["motion", "absorption"])
def test_area_among_bands(lines, by):
    """Channels of a band, the group's own above one half of what is absorbed there, and the area by scikit-learn."""
    attributions = np.random.default_rng(0).normal(size=(8, 850))
    scores = score_group_explanations(attributions, GROUP_AXIS, lines, "nitrile", by)
    spectra = line_spectra(lines, GROUP_AXIS)
    part = group_map(lines, "nitrile", GROUP_AXIS, by=by)
    for row in range(8):
        band = spectra[row] > 0.05 * spectra[row].max()
        own = part[row, band] > 0.5 * spectra[row, band]
        if own.any() and not own.all():
            expected = roc_auc_score(own, np.abs(attributions[row, band]))
            assert np.isclose(scores["band_auc"][row], expected)
        else:
            assert np.isnan(scores["band_auc"][row])


def test_an_attribution_on_own_bands_only(lines):
    spectra = line_spectra(lines, GROUP_AXIS)
    own = group_map(lines, "nitrile", GROUP_AXIS, by="motion") > 0.5 * spectra
    scores = score_group_explanations(own.astype(float), GROUP_AXIS, lines, "nitrile")
    known = scores["band_auc"].dropna()
    assert len(known) and (known == 1).all()


def test_channels_of_a_contribution():
    part = np.array([[0.0, -2.0, 0.1, 0.3], [1.0, 0.09, 0.11, 0.0]])
    expected = [[False, True, False, True], [True, False, True, False]]
    assert contribution_channels(part).tolist() == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"group": "thiol"}, "thiol"),
        ({"group": "nitro"}, "without the group nitro"),
        ({"by": "mass"}, "mass"),
        ({"attributions": np.ones((7, 850))}, "7 attributions, but 8"),
        ({"attributions": np.ones((8, 849))}, "850"),
        ({"attributions": np.full((8, 850), np.nan)}, "NaN"),
    ],
)
def test_what_is_refused(lines, change, message):
    given = {"attributions": np.ones((8, 850)), "axis": GROUP_AXIS, "lines": lines, "group": "nitrile"}
    with pytest.raises(ValueError, match=message):
        score_group_explanations(**given | change)


def test_the_network_of_the_study_opens():
    from deep_chemometrics.networks.backend import keras

    network = keras.saving.load_model(RESULTS / "fganet.keras")
    assert network.input_shape == (None, 850) and network.output_shape == (None, 17)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gradient_x_input", "integrated_gradients"])
def test_numbers_of_the_study(method):
    """FGANet of seed 1: the stored means over the molecules of each group."""
    from deep_chemometrics.explanation import attribute
    from deep_chemometrics.infrared.prediction import GROUPS
    from deep_chemometrics.networks.backend import keras
    from studies.functional_groups import labels, spectra, split

    stored = pd.read_parquet(RESULTS / "scores.parquet")
    stored = stored[(stored["model"] == "FGANet") & (stored["seed"] == 1) & (stored["method"] == method)]
    network = keras.saving.load_model(RESULTS / "fganet.keras")
    train, test = split()
    mean = spectra()[train].mean(axis=0)
    for group in ("nitrile", "ester", "alcohol"):
        rows = test[labels()[test, GROUPS.index(group)]]
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:30])
        options = {"baseline": mean, "progress": False} if method == "integrated_gradients" else {}
        attributions = attribute(network, spectra()[rows], method, GROUPS.index(group), **options)
        for by in ("motion", "absorption"):
            found = score_group_explanations(attributions, GROUP_AXIS, load_lines()[rows], group, by).mean()
            kept = stored[(stored["group"] == group) & (stored["by"] == by)].iloc[0]
            for name in ("band_auc", "auc", "correlation"):
                assert np.isclose(found[name], kept[name], atol=2e-4), (group, by, name, found[name], kept[name])
