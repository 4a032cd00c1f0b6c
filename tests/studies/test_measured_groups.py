"""The study of measured spectra: split, stored results without any spectrum, MiniRocket."""

import json
import os

import numpy as np
import pandas as pd
import pytest

from studies import measured_groups as study
from studies.functional_groups import decisions, scores
from studies.run import results_folder

FOLDER = results_folder("measured_groups")
needed = pytest.mark.skipif(not os.environ.get("DC_TESTDATA"), reason="DC_TESTDATA is not set: no measured spectra")


def test_the_part_depends_on_the_molecule_alone():
    keys = [f"{a}{b}{'A' * 12}" for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    parts = study.part_of(keys)
    assert (study.part_of(keys[::-1])[::-1] == parts).all()
    assert (study.part_of([f"{key}-UHFFFAOYSA-N" for key in keys]) == parts).all(), "only the first block counts"
    shares = pd.Series(parts).value_counts(normalize=True)
    assert all(abs(shares[part] - share) < 0.05 for part, share in study.PARTS.items())
    # as it was when the networks were trained
    assert study.part_of(["CSCPPACGZOOCGX", "LFQSCWFLJHTTHZ", "UHOVQNZJYSORNB"]).tolist() == KNOWN_PARTS


KNOWN_PARTS = ["test", "test", "train"]


def test_stored_results_hold_scores_and_no_spectrum():
    fits = pd.read_parquet(FOLDER / "predictions.parquet")
    numbers = [f"p{i}" for i in range(17)]
    assert set(fits) == {"model", "seed", "phase", "row", "truth", "decisions", *numbers}
    stored = {(model, seed) for model, seed in fits[["model", "seed"]].drop_duplicates().to_numpy()}
    assert stored <= {(one["model"], one["seed"]) for one in study.settings()}
    package = pd.read_parquet(FOLDER / "package_model.parquet")
    assert set(package) == {"phase", "range", "truth", "decisions", *numbers}
    split = json.loads((FOLDER / "split.json").read_text("utf-8"))
    for phase in study.PHASES:
        one = fits[(fits["model"] == "group_net") & (fits["seed"] == 0) & (fits["phase"] == phase)]
        assert len(one) == split["spectra"][phase]["test"] == (package["phase"] == phase).sum() / 2
        same = package[(package["phase"] == phase) & (package["range"] == "whole file")]
        assert same["truth"].tolist() == one["truth"].tolist()


def test_group_net_passes_the_published_scores():
    fits = pd.read_parquet(FOLDER / "predictions.parquet")
    rows = fits[(fits["model"] == "group_net") & (fits["seed"] == 0) & (fits["phase"] == "gas")]
    found = scores(decisions(rows), study.truth(rows))
    assert found["macro F1"] > 0.828 and found["molecular F1"] > 0.896 and found["all right"] > 0.589


def test_minirocket_by_hand():
    """The share of channels above a threshold, of one kernel at one dilation."""
    X = np.random.default_rng(0).random((4, 120)).astype(np.float32)
    rocket = study.MiniRocket(n_features=84).fit(X)
    features = rocket.transform(X)
    assert features.shape == (4, sum(limits.size for limits in rocket.thresholds_.values()))
    assert features.min() >= 0 and features.max() <= 1
    dilation, limits = next(iter(rocket.thresholds_.items()))
    weights = np.full(9, -1.0)
    weights[[0, 1, 2]] = 2
    padded = np.pad(X[1], 4 * dilation)
    values = [padded[t : t + 8 * dilation + 1 : dilation] @ weights for t in range(120)]
    assert np.isclose(features[1, 0], np.mean(np.array(values) > limits[0, 0]), atol=0.01)


def test_without_the_spectra_it_says_what_is_missing(monkeypatch):
    monkeypatch.delenv("DC_TESTDATA", raising=False)
    with pytest.raises(FileNotFoundError, match="not part of the project"):
        study._folder()


@needed
@pytest.mark.slow
def test_parts_share_no_molecule_and_leave_out_what_is_held_out():
    keys = {phase: study.measured(phase).samples["inchikey"] for phase in study.PHASES}
    every = pd.concat(keys.values())
    parts = pd.Series(study.part_of(every), index=every.to_numpy())
    assert (parts.groupby(level=0).nunique() == 1).all()
    assert study.protocol() == json.loads((FOLDER / "split.json").read_text("utf-8"))
    train = set(keys["gas"].iloc[study.training_rows()])
    assert not train & {key for key, part in parts.items() if part == "test"}


def test_computed_spectra_help_where_few_are_measured():
    """The statement of the page, from the stored scores."""
    steps = pd.read_csv(FOLDER / "pretraining.csv.gz", dtype={"n": str}).set_index(["computed_first", "n", "seed"])
    assert set(steps) == {"macro F1", "molecular F1", "all right"}
    f1 = steps["macro F1"].xs(0, level="seed")
    assert f1[True]["0"] > f1[False]["50"] and f1[True]["250"] > f1[False]["250"] + 0.05
    assert abs(f1[True]["1000"] - f1[False]["1000"]) < 0.03


@needed
@pytest.mark.slow
def test_no_rare_scaffold_is_on_both_sides_and_no_computed_molecule_is_held_out():
    part, rare = study.scaffolds()
    assert set(part[~rare]) == {"train"} and (part[rare] == "test").sum() > 100
    keys, usable = study.computed()
    assert not set(keys[usable]) & study._held_out()
