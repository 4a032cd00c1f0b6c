"""The benchmark of explanations: what it compares, seeds, and that the stored results are its own."""

import json

import numpy as np
import pandas as pd
import pytest

import studies.explanation_methods as study
from deep_chemometrics.data import simulate_spectra
from deep_chemometrics.explanation import attribution
from studies.explanation_methods import EXPLAINED, METHODS, NETWORKS, score_explanations
from studies.run import results_folder, run_study

RESULTS = results_folder("explanation_methods") / "scores.parquet"
CONTROLS = ["gradient x distance", "distance", "random"]
CONTRIBUTIONS = ["integrated gradients", "occlusion", "Shapley values", "gradient x distance"]
SMALL = {"n_samples": 60, "n_explained": 8}


def oracle(difficulty, seed=0, **options):
    return score_explanations("oracle", difficulty, seed, **SMALL | options).set_index("method")


@pytest.fixture(scope="module")
def easy():
    return oracle("easy")


@pytest.fixture(scope="module")
def stored():
    return pd.read_parquet(RESULTS)


def test_no_method_of_the_library_is_left_out():
    assert sorted(METHODS.values()) == sorted(attribution.METHODS)


def test_a_row_a_method(easy):
    assert list(easy.index) == [name for name in METHODS if name != "Grad-CAM"] + CONTROLS  # it needs kernels
    columns = easy.drop(columns=["completeness error", "rejected"]).astype(float)
    assert np.isfinite(columns.to_numpy()).all()
    assert easy["completeness error"].notna().sum() == 7  # contributions and controls: they claim to add up
    assert easy[["rmsep", "rmsep shifted"]].nunique().eq(1).all()


@pytest.mark.parametrize("difficulty", EXPLAINED)
def test_the_contributions_of_a_linear_model_are_exact(difficulty):
    table = oracle(difficulty, seed=1)
    same = table.loc[CONTRIBUTIONS]
    assert same["completeness error"].max() < 1e-6
    # "auc" and "rank" are by channel: occlusion and Shapley values share a band's sum among its channels
    assert np.ptp(same[["deletion", "insertion", "truth", "random weights"]], axis=0).max() < 1e-6
    assert (same["deletion"] > table.loc[["random", "distance", "gradient"], "deletion"].max()).all()
    assert (same["win rate"] == 1).all() and table.loc["random", "win rate"] < 0.9


def test_the_oracle_is_right_where_nothing_disturbs(easy):
    assert easy["rmsep"].iloc[0] < 0.03 and easy.loc["occlusion", "truth"] > 0.9 > 0.5 > easy.loc["random", "truth"]
    assert oracle("scatter")["rmsep"].iloc[0] > 0.1  # a gain is beyond any linear model


@pytest.mark.slow
def test_the_same_seed_gives_the_same(easy):
    again, other = oracle("easy"), oracle("easy", seed=1)
    pd.testing.assert_frame_equal(easy.drop(columns="seconds"), again.drop(columns="seconds"))
    assert (easy.loc["random", ["deletion", "truth"]] != other.loc["random", ["deletion", "truth"]]).all()


def test_raw_and_corrected_are_told_apart(easy):
    table = oracle("scatter")
    assert (table["truth, raw"] != table["truth"]).any() and (easy["truth, raw"] == easy["truth"]).all()


def test_scatter_is_corrected_where_there_is_any(monkeypatch):
    class Recorder:
        def __init__(self, architecture, **options):
            self.options = options

        def fit(self, X, y):
            self.X = X
            return self

    monkeypatch.setattr(study, "CNNRegressor", Recorder)
    for difficulty, correction in {"easy": None, "overlap": None, "scatter": "emsc", "hard": "emsc"}.items():
        train = simulate_spectra(20, difficulty, random_state=0).where(role="train", instrument=1)
        model = study._model_to_explain("cui_fearn", train, epochs=3, seed=7)
        assert model.options["scatter_correction"] == correction and model.X is train.dataset.X
        assert model.options["epochs"] == 3 and model.options["random_state"] == 7


@pytest.mark.parametrize("order_lost", [False, True])
def test_grad_cam_looks_at_the_first_convolution_where_the_last_has_lost_the_order(order_lost, monkeypatch):
    def attribute(model, X, method, *, layer=None, **options):
        if method == "gradient_x_input" or (method == "grad_cam" and layer is None and order_lost):
            raise ValueError("refused")

    monkeypatch.setattr(study, "attribute", attribute)
    accepted, options = study._accepted("a model", np.zeros((2, 100)), study.bands(np.arange(100.0), n=20))
    assert accepted == {name: method for name, method in METHODS.items() if name != "gradient x input"}
    assert options["Grad-CAM"] == ({"layer": 0} if order_lost else {}) and options["gradient"] == {}
    assert options["Shapley values"] == study.OPTIONS["Shapley values"]


@pytest.mark.parametrize("network, difficulty", [("perceptron", "easy"), ("oracle", "impossible")])
def test_unknown_names(network, difficulty):
    with pytest.raises(ValueError, match="is unknown: choose one of"):
        score_explanations(network, difficulty, 0, **SMALL)


@pytest.mark.slow
def test_goes_on_where_it_stopped(easy, tmp_path):
    calls, settings = [], [{"network": "oracle", "difficulty": "easy", "seed": s, **SMALL} for s in range(3)]

    def counted(**setting):
        calls.append(setting["seed"])
        if setting["seed"] == 1 and len(calls) == 2:
            raise KeyboardInterrupt
        return score_explanations(**setting)

    with pytest.raises(KeyboardInterrupt):
        run_study(counted, settings, tmp_path / "e.parquet", progress=False)
    table = run_study(counted, settings, tmp_path / "e.parquet", progress=False)
    assert calls == [0, 1, 1, 2]
    assert list(table["seed"].unique()) == [0, 1, 2]
    first = table[table["seed"] == 0].set_index("method")
    pd.testing.assert_frame_equal(first[easy.columns].drop(columns="seconds"), easy.drop(columns="seconds"))


class TestStored:
    def test_five_seeds_of_everything(self, stored):
        models = stored.groupby(["network", "difficulty"])["seed"].agg(lambda s: sorted(set(s)))
        assert set(models.index) == {(n, d) for n in ["oracle", *NETWORKS] for d in EXPLAINED}
        assert all(seeds == [0, 1, 2, 3, 4] for seeds in models)
        assert not stored.duplicated(["network", "difficulty", "seed", "method"]).any()

    def test_every_network_by_every_method(self, stored):
        """Where scatter is corrected, gradient x input is refused, since its baseline is zero; and nothing else is."""
        found = stored.query("network != 'oracle'").groupby(["network", "difficulty"])["method"].agg(set)
        for (network, difficulty), methods in found.items():
            refused = {"gradient x input"} if difficulty in ("scatter", "hard") else set()
            assert methods == {*METHODS, *CONTROLS} - refused, (network, difficulty)

    def test_by_one_version_of_everything(self):
        beside = json.loads(RESULTS.with_suffix(".json").read_text(encoding="utf-8"))
        assert len(beside["versions"]) == 1 and len(beside["tasks"]) == 5 * len(EXPLAINED) * (1 + len(NETWORKS))

    @pytest.mark.slow
    @pytest.mark.parametrize("difficulty", EXPLAINED)
    def test_are_what_the_function_gives(self, stored, difficulty):
        """The oracle alone: training a network ends elsewhere on another processor."""
        kept = stored.query("network == 'oracle' and difficulty == @difficulty and seed == 0").set_index("method")
        fresh = oracle(difficulty, n_samples=300, n_explained=32)
        columns = ["deletion", "insertion", "truth", "truth, raw", "attribution_mass", "auc", "rmsep", "rmsep shifted"]
        # ties of nearly equal bands may fall otherwise with another BLAS, hence not to the last digit
        np.testing.assert_allclose(fresh.loc[kept.index, columns], kept[columns], rtol=1e-3, atol=1e-3)

    def test_maps_without_a_model_are_the_floor(self, stored):
        seeds = stored.query("network != 'oracle'").groupby(["method", "seed"])[["deletion", "truth"]].mean()
        random = seeds.loc["random"]
        assert (random.abs() < 0.1).all(axis=None)
        for name in CONTRIBUTIONS:
            assert (seeds.loc[name] > random + 0.2).all(axis=None), name
