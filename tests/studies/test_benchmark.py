"""The benchmark: families are whole, folds keep samples together, every model predicts, closed values stay closed."""

import numpy as np
import pandas as pd
import pytest

from studies import benchmark

rng = np.random.default_rng(0)
CONTENTS = np.repeat(rng.uniform(0, 1, (30, 2)), 2, axis=0)
AXIS = np.linspace(0, 1, 40)
X = CONTENTS @ np.exp(-((AXIS - np.array([[0.3], [0.6]])) ** 2) / 0.02) + 0.01 * rng.normal(size=(60, 40)) + 1
SMALL = benchmark.Set(X, CONTENTS, ["a", "b"], np.repeat(np.arange(30), 2), False)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(benchmark, "load_set", lambda name: SMALL)


def test_stored_families_are_those_of_the_seed():
    families = benchmark.read_families()
    assert families == benchmark.assign_families()
    sets = [name for family in families.values() for name in family["sets"]]
    assert len(sets) == len(set(sets)) >= 20
    halves = [family["half"] for family in families.values()]
    assert halves.count("development") == 8
    assert halves.count("evaluation") == 7


def test_folds_keep_samples_together(small):
    folds = benchmark.outer_folds("any")
    assert len(folds) == 5
    for train, test in folds:
        assert not set(SMALL.groups[train]) & set(SMALL.groups[test])


QUICK = [m for m in benchmark.MODELS if m not in [*benchmark.TRAINED, "network in closed form"]]


@pytest.mark.parametrize("model", [*QUICK, pytest.param("Savitzky-Golay network", marks=pytest.mark.slow)])
def test_every_model_predicts(model):
    train = np.arange(60) < 40
    predicted = benchmark.MODELS[model](X[train], CONTENTS[train], SMALL.groups[train], X[~train])
    assert predicted.shape == (20, 2)
    assert np.sqrt(np.mean((predicted - CONTENTS[~train]) ** 2)) < 0.8 * CONTENTS.std()


def test_reference_values_without_open_licence_are_not_stored(small, monkeypatch):
    rows = benchmark.compute("PLS", "any", 0)
    assert rows["y"].isna().all()
    assert rows["mse"].notna().all()
    monkeypatch.setattr(benchmark, "load_set", lambda name: SMALL._replace(open_licence=True))
    assert benchmark.compute("PLS", "any", 0)["y"].notna().all()


def test_mini_rocket_of_new_spectra_uses_the_biases_of_the_old():
    features, biases = benchmark.mini_rocket(X[:30])
    again, _ = benchmark.mini_rocket(X[:30], biases)
    assert np.array_equal(features, again)
    assert ((features >= 0) & (features <= 1)).all()
    assert features.shape[1] >= 84


def rows_with(errors):
    """Results of two sets of one family (4 spectra a fold) with these errors of the models."""
    parts = []
    for model, error in errors.items():
        for name in ("n4_regression_2", "n4_regression_3"):
            for fold in range(5):
                rows = {"model": model, "set_name": name, "fold": fold, "target": "protein", "sample": range(4)}
                parts.append(pd.DataFrame(rows | {"mse": error**2, "seconds": 1.0}))
    return pd.concat(parts, ignore_index=True)


def test_leaderboard_of_known_errors():
    rows = rows_with({"AutoRidge": 2.0, "PLS": 3.0, benchmark.NETWORK: 1.0})
    board = benchmark.leaderboard(rows, "evaluation")
    assert board["error / AutoRidge"].round(6).to_dict() == {benchmark.NETWORK: 0.5, "AutoRidge": 1.0, "PLS": 1.5}
    assert board["mean rank"].tolist() == [1, 2, 3]
    assert benchmark.set_ratios(rows).loc["n4_regression_2"].tolist() == pytest.approx([0.5, 0.5, 0.5])


def test_models_without_all_folds_are_left_out():
    rows = rows_with({"AutoRidge": 2.0, "PLS": 3.0})
    rows = rows[(rows["model"] == "AutoRidge") | (rows["fold"] < 4)]
    assert list(benchmark.leaderboard(rows, "evaluation").index) == ["AutoRidge"]


def test_critical_difference_of_ten_models_on_ten_sets():
    """Demsar (2006), table 5: q = 3.164 for ten models."""
    assert benchmark.critical_difference(10, 10) == pytest.approx(3.164 * np.sqrt(110 / 60), abs=2e-3)


def test_stored_results_are_complete_on_the_evaluation_half():
    rows = benchmark.load_results()
    board = benchmark.leaderboard(rows, "evaluation")
    assert set(board.index) == set(benchmark.MODELS)
    assert np.isfinite(rows["predicted"]).all()
    closed = rows["set_name"].isin(["n4_regression_2", "n4_regression_3", "soil_spain_neospectra"])
    assert rows.loc[closed, "y"].isna().all()
    assert rows.loc[~closed, "y"].notna().mean() > 0.5


def test_learning_curves_and_classes_are_stored():
    curves = benchmark.curves()
    assert set(curves["set_name"]) == set(benchmark.CURVE_SETS)
    assert curves["mse"].gt(0).all()
    classes = benchmark.classes()
    assert (classes.groupby("model").size() == 310).all()
    assert set(classes["model"]) == set(benchmark.CLASSIFIERS)


def test_a_classifier_chooses_inside_and_predicts_the_classes():
    labels = (CONTENTS[:, 0] > np.median(CONTENTS[:, 0])).astype(int)
    train = np.arange(60) < 40
    predicted = benchmark.CLASSIFIERS["logistic regression"](X[train], labels[train], X[~train])
    assert np.mean(predicted == labels[~train]) > 0.75
