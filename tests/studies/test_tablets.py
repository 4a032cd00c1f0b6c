"""The study of the tablets: who is taught and asked, what is peeked and what is not, and that the plan is kept."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import studies.tablets as study
from studies.tablets import imagined_instrument, rows_of, tablet_predictions, tablets

RESULTS = Path(__file__).resolve().parents[2] / "nbs" / "studies" / "results"
DS = tablets()


@pytest.mark.parametrize("task", study.TASKS)
def test_nobody_is_asked_for_a_spectrum_that_taught(task):
    taught, asked = rows_of(DS, task, seed=1)
    assert taught.any() and asked.any() and not (taught & asked).any()
    samples = DS.samples
    assert set(samples["instrument"][taught]) == {1} and set(samples["original_split"][taught]) == {"test"}
    assert not set(samples["tablet"][taught]) & set(samples["tablet"][asked])  # nor for the same tablet elsewhere
    assert set(samples["instrument"][asked]) == ({1} if task == "validation" else {1, 2})


def test_folds_divide_the_training_tablets():
    pool, _ = rows_of(DS, "evaluation")
    folds = np.array([rows_of(DS, "validation", seed)[1] for seed in range(5)])
    assert np.array_equal(folds.sum(axis=0), pool.astype(int))
    assert np.ptp(folds.sum(axis=1)) <= 1


def test_levels_left_out_are_not_taught():
    y = DS.y["assay"].to_numpy()
    taught, asked = rows_of(DS, "middle")
    assert 181 <= y[taught].min() and y[taught].max() < 211
    assert ((y[asked] < 181) | (y[asked] >= 211)).all() and y[asked].min() < 160 and y[asked].max() > 230
    inside, outside = rows_of(DS, "ends")
    assert not (inside & taught).any() and (181 <= y[outside]).all() and (y[outside] < 211).all()


def test_training_on_the_other_instrument():
    taught, asked = rows_of(DS, "evaluation", train_instrument=2)
    assert set(DS.samples["instrument"][taught]) == {2} and asked.sum() == 302


@pytest.mark.parametrize("call", [lambda: rows_of(DS, "everything"), lambda: tablets("half")])
def test_unknown_names(call):
    with pytest.raises(ValueError, match="is unknown: choose one of"):
        call()


def test_an_imagined_instrument_is_one_instrument():
    X, scale = DS.X[:6].astype(float), float(DS.X.std())
    one = imagined_instrument(X, DS.axis, scale, 0)
    assert np.array_equal(one, imagined_instrument(X, DS.axis, scale, 0))
    assert not np.allclose(one, imagined_instrument(X, DS.axis, scale, 1))
    # the same baseline and gain for all: differences between tablets survive, but for noise where they are small
    kept = [np.corrcoef((X[i] - X[0]), (one[i] - one[0]))[0, 1] for i in range(1, 6)]
    assert min(kept) > 0.95 and np.median(kept) > 0.99
    assert 0.01 < np.abs((one - X).mean(axis=0)).max() / scale < 2


def test_peeked_is_the_best_size_for_each_instrument():
    peeked = tablet_predictions("PLS, peeked", "MSC", "none", "", "evaluation", "embedded", 0, 1)
    sized = tablet_predictions("PLS, one SE", "MSC", "none", "", "evaluation", "embedded", 0, 1)
    assert peeked.groupby("instrument")["size"].nunique().eq(1).all()
    for instrument in (1, 2):
        one, other = (t[t["instrument"] == instrument] for t in (peeked, sized))
        assert ((one["yhat"] - one["y"]) ** 2).mean() <= ((other["yhat"] - other["y"]) ** 2).mean() + 1e-3


def test_copies_of_a_tablet_stay_in_one_fold(monkeypatch):
    seen = {}

    class Spy(study.PLSRegressionCV):
        def fit(self, X, y, groups=None):
            seen.update(X=np.asarray(X), y=y, groups=groups)
            return super().fit(X, y, groups=groups)

    monkeypatch.setattr(study, "PLSRegressionCV", Spy)
    taught, _ = rows_of(DS, "evaluation")
    X, y = DS.X[taught].astype(float)[:40], DS.y["assay"].to_numpy()[taught][:40]
    study.fit_classical("PLS, one SE", "EMSC 1", "source", "augment, correct", X, y, 0)
    assert seen["X"].shape == (400, 597) and np.array_equal(seen["groups"], np.repeat(np.arange(40), 10))
    assert np.array_equal(seen["y"], np.repeat(y, 10))
    # EMSC of order 1 undoes offset, slope and gain: the copies are one spectrum again, to rounding
    assert np.ptp(seen["X"].reshape(40, 10, -1), axis=1).max() < 1e-10
    study.fit_classical("PLS, one SE", "EMSC 1", "source", "correct, augment", X, y, 0)
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
    made = study.network("CNN", correction, "source", order, X, seed=3)
    assert len(made) == before + 1 and made[-1].scatter_correction == inside
    assert made[-1].random_state == 3 and made[-1].validation_fraction == 0


def test_measured_strengths_come_from_what_the_network_sees():
    X = DS.X[:60].astype(float)
    raw, corrected = (
        study.network("CNN", "EMSC 2", "measured", order, X, 0)[-1].augmentation
        for order in ("augment, correct", "correct, augment")
    )
    assert raw["offset"] > 10 * corrected["offset"]  # little scatter is left after EMSC
    with pytest.raises(ValueError, match="source"):
        study.strengths_of("guessed", X)


def test_every_setting_is_asked_for_once():
    plans = [study.classical_settings(), study.classical_settings("full"), study.screening_settings()]
    plan = [json.dumps(setting, sort_keys=True) for part in [*plans, study.concluding_settings()] for setting in part]
    assert len(plan) == len(set(plan))


def test_the_stored_predictions_belong_to_the_data():
    table = pd.read_parquet(RESULTS / "tablets_predictions.parquet")
    assert np.isfinite(table[["y", "yhat"]]).all().all()
    own = table[(table["set"] == "embedded") & table["instrument"].isin([1, 2])]
    known = DS.samples.assign(assay=DS.y["assay"]).set_index(["instrument", "tablet"])["assay"]
    assert np.array_equal(known.loc[list(zip(own["instrument"], own["tablet"]))], own["y"])
    evaluated = own[own["task"] == "evaluation"].groupby(["model", "correction", "augmentation", "order", "seed"])
    assert evaluated.size().eq(302).all()


def test_quiet_channels_are_found_in_noise_that_is_known():
    rng = np.random.default_rng(0)
    level = np.where((np.arange(300) >= 60) & (np.arange(300) < 240), 1e-4, 1e-2)
    X = np.sin(np.linspace(0, 3, 300)) * rng.uniform(1, 2, (200, 1)) + level * rng.standard_normal((200, 300))
    quiet = study.QuietChannels(factor=10).fit(X)
    assert (
        abs(quiet.range_.start - 60) <= 2 and abs(quiet.range_.stop - 240) <= 2
    )  # a third difference spans 4 channels
    # standard deviations of 200 correlated differences: 20 % is four of their standard errors
    assert np.allclose(quiet.noise_[70:230], 1e-4, rtol=0.25) and np.allclose(quiet.noise_[5:50], 1e-2, rtol=0.25)
    assert np.array_equal(quiet.transform(X), X[:, quiet.range_])
