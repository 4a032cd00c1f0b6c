"""The study of the tablets: what is trained on and predicted, what is selected on the test set, and the plan."""

import json

import numpy as np
import pandas as pd
import pytest

import studies.tablets as study
from studies.run import results_folder
from studies.tablets import rows_of, simulated_instrument, tablet_predictions, tablets

DS = tablets()


@pytest.mark.parametrize("task", study.TASKS)
def test_no_tablet_is_both_in_training_and_predicted(task):
    train, predicted = rows_of(DS, task, seed=1)
    assert train.any() and predicted.any() and not (train & predicted).any()
    samples = DS.samples
    assert set(samples["instrument"][train]) == {1} and set(samples["role"][train]) == {"train"}
    assert not set(samples["tablet"][train]) & set(samples["tablet"][predicted])  # nor on the other instrument
    assert set(samples["instrument"][predicted]) == ({1} if task == "validation" else {1, 2})


def test_folds_divide_the_training_tablets():
    pool, _ = rows_of(DS, "test")
    folds = np.array([rows_of(DS, "validation", seed)[1] for seed in range(5)])
    assert np.array_equal(folds.sum(axis=0), pool.astype(int))
    assert np.ptp(folds.sum(axis=1)) <= 1


def test_levels_left_out_are_not_in_training():
    y = DS.y["assay"].to_numpy()
    train, predicted = rows_of(DS, "only 192 mg")
    assert 181 <= y[train].min() and y[train].max() < 211
    assert (
        ((y[predicted] < 181) | (y[predicted] >= 211)).all() and y[predicted].min() < 160 and y[predicted].max() > 230
    )
    inside, outside = rows_of(DS, "without 192 mg")
    assert not (inside & train).any() and (181 <= y[outside]).all() and (y[outside] < 211).all()


def test_training_on_the_other_instrument():
    train, predicted = rows_of(DS, "test", train_instrument=2)
    assert set(DS.samples["instrument"][train]) == {2} and predicted.sum() == 302


@pytest.mark.parametrize("call", [lambda: rows_of(DS, "everything"), lambda: tablets("half")])
def test_unknown_names(call):
    with pytest.raises(ValueError, match="is unknown: choose one of"):
        call()


def test_an_simulated_instrument_is_one_instrument():
    X, scale = DS.X[:6].astype(float), float(DS.X.std())
    one = simulated_instrument(X, DS.axis, scale, 0)
    assert np.array_equal(one, simulated_instrument(X, DS.axis, scale, 0))
    assert not np.allclose(one, simulated_instrument(X, DS.axis, scale, 1))
    # the same baseline and gain for all: differences between tablets survive, but for noise where they are small
    kept = [np.corrcoef((X[i] - X[0]), (one[i] - one[0]))[0, 1] for i in range(1, 6)]
    assert min(kept) > 0.95 and np.median(kept) > 0.99
    assert 0.01 < np.abs((one - X).mean(axis=0)).max() / scale < 2


def test_selected_on_the_test_set_is_the_best_size_for_each_instrument():
    selected = tablet_predictions(study.SELECTED, "MSC", "none", "", "test", "embedded", 0, 1)
    sized = tablet_predictions("PLS, one SE", "MSC", "none", "", "test", "embedded", 0, 1)
    assert selected.groupby("instrument")["size"].nunique().eq(1).all()
    for instrument in (1, 2):
        one, other = (t[t["instrument"] == instrument] for t in (selected, sized))
        assert ((one["predicted"] - one["y"]) ** 2).mean() <= ((other["predicted"] - other["y"]) ** 2).mean() + 1e-3


def test_copies_of_a_tablet_stay_in_one_fold(monkeypatch):
    seen = {}

    class Spy(study.PLSRegressionCV):
        def fit(self, X, y, groups=None):
            seen.update(X=np.asarray(X), y=y, groups=groups)
            return super().fit(X, y, groups=groups)

    monkeypatch.setattr(study, "PLSRegressionCV", Spy)
    train, _ = rows_of(DS, "test")
    X, y = DS.X[train].astype(float)[:40], DS.y["assay"].to_numpy()[train][:40]
    study.fit_classical("PLS, one SE", "EMSC 1", "Bjerrum 2017", "augment, correct", X, y, 0)
    assert seen["X"].shape == (400, 597) and np.array_equal(seen["groups"], np.repeat(np.arange(40), 10))
    assert np.array_equal(seen["y"], np.repeat(y, 10))
    # EMSC of order 1 undoes offset, slope and gain: the copies are one spectrum again, to rounding
    assert np.ptp(seen["X"].reshape(40, 10, -1), axis=1).max() < 1e-10
    study.fit_classical("PLS, one SE", "EMSC 1", "Bjerrum 2017", "correct, augment", X, y, 0)
    assert np.ptp(seen["X"].reshape(40, 10, -1), axis=1).max() > 0.01


@pytest.mark.parametrize(
    ("correction", "order", "before", "inside"),
    [
        ("EMSC 2", "augment, correct", 0, 2),
        ("EMSC 2", "correct, augment", 1, None),
        ("EMSC 2 + derivative", "", 2, None),
    ],
)
def test_where_the_network_corrects(correction, order, before, inside):
    X = DS.X[:30].astype(float)
    made = study.network("CNN", correction, "Bjerrum 2017", order, X, seed=3)
    assert len(made) == before + 1 and made[-1].scatter_correction == inside
    assert made[-1].random_state == 3 and made[-1].validation_fraction == 0


def test_estimated_strengths_come_from_what_the_network_sees():
    X = DS.X[:60].astype(float)
    raw, corrected = (
        study.network("CNN", "EMSC 2", "estimated", order, X, 0)[-1].augmentation
        for order in ("augment, correct", "correct, augment")
    )
    assert raw["offset"] > 10 * corrected["offset"]  # little scatter is left after EMSC
    with pytest.raises(ValueError, match="Bjerrum 2017"):
        study.strengths_of("guessed", X)


def test_no_setting_is_there_twice():
    plans = [study.classical_settings(), study.classical_settings("full"), study.screening_settings()]
    plan = [json.dumps(setting, sort_keys=True) for part in [*plans, study.concluding_settings()] for setting in part]
    assert len(plan) == len(set(plan))


def test_the_stored_predictions_belong_to_the_data():
    table = pd.read_parquet(results_folder("tablets") / "predictions.parquet")
    assert np.isfinite(table[["y", "predicted"]]).all().all()
    own = table[(table["set"] == "embedded") & table["instrument"].isin([1, 2])]
    known = DS.samples.assign(assay=DS.y["assay"]).set_index(["instrument", "tablet"])["assay"]
    assert np.array_equal(known.loc[list(zip(own["instrument"], own["tablet"]))], own["y"])
    evaluated = own[own["task"] == "test"].groupby(["model", "correction", "augmentation", "order", "seed"])
    assert evaluated.size().eq(302).all()
