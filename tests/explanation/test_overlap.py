"""Overlap with the truth: against scikit-learn and by counting, ties, signs, bands, degenerate rows."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import roc_auc_score

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.explanation import localization

some = arrays(float, (3, 9), elements=st.integers(-4, 4).map(float))
masks = arrays(bool, 9)


@settings(max_examples=30, deadline=None)
@given(some, masks)
def test_against_scikit_learn_and_at_random(values, mask):
    assume(mask.any() and not mask.all() and values.any(axis=1).all())
    found, size = localization(values, mask), np.abs(values)
    assert np.allclose(found["auc"], [roc_auc_score(mask, s) for s in size])
    assert np.allclose(found["attribution_mass"], [s[mask].sum() / s.sum() for s in size])
    rng, k = np.random.default_rng(0), mask.sum()
    draws = [np.lexsort((rng.random(9), -size[0]))[:k] for _ in range(200)]
    rank = np.mean([mask[top].mean() for top in draws])
    assert abs(found["rank"][0] - rank) < 5 * 0.5 / np.sqrt(200)  # five standard errors of a share


@settings(max_examples=30, deadline=None)
@given(some, masks, st.floats(0.01, 100))
def test_unit_and_order_of_channels_do_not_matter(values, mask, unit):
    assume(mask.any() and not mask.all() and values.any(axis=1).all())
    found, order = localization(values, mask), np.random.default_rng(0).permutation(9)
    assert np.allclose(localization(unit * values, mask), found)
    assert np.allclose(localization(-values[:, order], mask[order]), found)


def test_signs():
    values, mask = [3, -3, 1, 0], [True, True, False, False]
    assert np.isclose(localization(values, mask)["attribution_mass"][0], 6 / 7)
    positive = localization(values, mask, sign="positive")
    assert np.isclose(positive["attribution_mass"][0], 3 / 4) and np.isclose(positive["auc"][0], (2 + 0.5) / 4)


def test_a_mask_a_sample():
    values = np.eye(3)
    assert localization(values, np.eye(3, dtype=bool))["attribution_mass"].tolist() == [1, 1, 1]
    assert localization(values, np.array([True, False, False]))["attribution_mass"].tolist() == [1, 0, 0]


def test_nothing_said_is_chance_and_warned_about():
    values, mask = np.array([[0, 0, 0, 0.0], [0, 1, 0, 0]]), np.array([True, False, False, False])
    with pytest.warns(SpectrumWarning, match="row 0 without attribution"):
        found = localization(values, mask, truth=[1, 0, 0, 0])
    assert found.loc[0, ["attribution_mass", "rank", "auc", "correlation"]].tolist() == [0.25, 0.25, 0.5, 0]
    with pytest.warns(SpectrumWarning, match="rows 0, 1"):
        localization(-values, mask, sign="positive")


def test_a_constant_is_chance():
    found = localization(np.ones((1, 8)), np.arange(8) < 2)
    assert np.allclose(found[["attribution_mass", "rank"]], 0.25) and found["auc"][0] == 0.5


def test_bands():
    values, mask = np.array([0, 0, 4, 0, 1, 1.0]), np.array([False, False, True, False, False, False])
    by_number = localization(values, mask, bands=3)
    assert np.allclose(by_number[["attribution_mass", "rank", "auc"]], [[4 / 6, 1, 1]])
    assert np.allclose(by_number[["attribution_mass_chance", "rank_chance"]], 1 / 3)
    labels = ["b", "b", "a", "a", "c", "c"]  # any order, any labels
    assert np.allclose(localization(values, mask, bands=labels), by_number)
    uneven = localization(values, mask, bands=[0, 0, 1, 2, 2, 2], truth=mask * 1.0)
    assert np.isclose(uneven["attribution_mass_chance"][0], 1 / 6) and np.isclose(uneven["rank_chance"][0], 1 / 3)
    assert np.isclose(uneven["correlation"][0], np.corrcoef([0, 4, 2 / 3], [0, 1, 0])[0, 1])
    one_each = localization(values, mask, bands=np.arange(6))
    assert np.allclose(one_each, localization(values, mask))


def test_correlation_is_pearsons():
    rng = np.random.default_rng(0)
    values, truth = rng.normal(size=(5, 40)), rng.normal(size=(5, 40))
    found = localization(values, np.arange(40) < 9, truth=truth)
    expected = [np.corrcoef(np.abs(r), np.abs(t))[0, 1] for r, t in zip(values, truth)]
    assert np.allclose(found["correlation"], expected)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(mask=np.zeros(6, bool)), "all false"),
        (dict(mask=np.ones(6, bool)), "all true"),
        (dict(mask=np.array([[True] * 3 + [False] * 3, [False] * 6])), r"all false \(row 1\)"),
        (dict(mask=[1, 0, 0, 0, 0, 0]), "boolean"),
        (dict(mask=np.array([True, False])), "mask has shape"),
        (dict(mask=np.ones((3, 6), bool)), "mask has shape"),
        (dict(attributions=[[np.nan] * 6] * 2), "NaN"),
        (dict(attributions=np.ones((2, 6, 1))), "dim"),
        (dict(sign="negative"), "sign='negative'"),
        (dict(bands=1), "bands=1"),
        (dict(bands=7), "more than the 6"),
        (dict(bands=[0, 1]), "bands has shape"),
        (dict(bands=2, mask=np.arange(6) == 0), "narrower bands"),
        (dict(truth=np.ones(5)), "truth has 5 channels"),
        (dict(truth=np.ones((3, 6))), "truth has 3 rows"),
    ],
)
def test_bad_input(change, words):
    given = dict(attributions=np.arange(12.0).reshape(2, 6), mask=np.arange(6) < 3) | change
    with pytest.raises(ValueError, match=words):
        localization(**given)
