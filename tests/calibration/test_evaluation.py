"""Models side by side: the same samples, folds and seeds, stored fits, failures, backends, bad input."""

import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LinearRegression, Ridge, SGDRegressor
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit, KFold, RepeatedKFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from deep_chemometrics.calibration import compare, reference_models
from deep_chemometrics.calibration.evaluation import _Result, _store, _stored
from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import SpectralDataset
from deep_chemometrics.storage import _describe

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 12))
y = X @ rng.normal(size=12) + 0.5 * rng.normal(size=60) + 10
RIDGES = {"strong": Ridge(30.0), "weak": Ridge(1e-3)}
EXACT = 1e-9  # the same computation in float64 on values of the order of ten: only the order of summation differs

run = partial(compare, progress=False)


class Broken(RegressorMixin, BaseEstimator):
    """Fits nothing but fails in some way, in the folds whose training part contains a certain sample."""

    def __init__(self, how="raise", where=None):
        self.how = how
        self.where = where

    def fit(self, X, y):
        if self.how == "raise" and (self.where is None or self.where in y):
            raise RuntimeError("out of luck")
        return self

    def predict(self, X):
        return {"nan": np.full(len(X), np.nan), "shape": np.zeros((len(X), 2))}.get(self.how, np.zeros(len(X)))


class Counting(Ridge):
    """Ridge regression that counts its fits, in this process, and can be told to stop."""

    def fit(self, X, y):
        COUNT.append(1)
        if len(COUNT) == STOP_AT[0]:
            raise KeyboardInterrupt
        return super().fit(X, y)


COUNT, STOP_AT = [], [0]


@pytest.fixture(autouse=True)
def _reset():
    COUNT.clear()
    STOP_AT[0] = 0


def dataset(**changes):
    given = {"X": X, "y": {"a": y, "b": -y}, "axis": np.arange(12.0), "samples": {"sample": np.arange(60) // 3}}
    return SpectralDataset(**{**given, **changes})


# -- What is compared: the same samples, folds and seeds ----------------------------------------------------------


def test_every_model_gets_the_same_folds_and_each_seed_its_own():
    found = run(RIDGES, (X, y), splits=5, seeds=3).predictions
    rows = found.sort_values("row").groupby(["model", "seed"])
    splits = {key: part["split"].tolist() for key, part in rows}
    for seed in range(3):
        assert splits["strong", seed] == splits["weak", seed]
    assert splits["weak", 0] != splits["weak", 1] != splits["weak", 2]
    assert found.groupby(["model", "seed"])["row"].apply(lambda rows: sorted(rows) == list(range(60))).all()


def test_predictions_are_those_of_a_loop_by_hand():
    found = run(RIDGES, (X, y), splits=5, seeds=[3]).predictions
    for name, model in RIDGES.items():
        by_hand = np.empty(60)
        for fit, test in KFold(5, shuffle=True, random_state=3).split(X):
            by_hand[test] = clone(model).fit(X[fit], y[fit]).predict(X[test])
        part = found[found["model"] == name].sort_values("row")
        assert np.array_equal(part["predicted"], by_hand)
        assert np.array_equal(part["error"], by_hand - y)


def test_seed_reaches_every_random_state():
    forest = make_pipeline(StandardScaler(), RandomForestRegressor(5, max_features=3))
    search = GridSearchCV(SGDRegressor(), {"alpha": [1e-4, 1e-2]}, cv=3)
    models, split = {"forest": forest, "search": search}, [(np.arange(40), np.arange(40, 60))]
    one, two = (run(models, (X, y), split, seeds=[4, 5]).predictions for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    values = one.groupby(["model", "seed"])["predicted"].apply(np.array)
    assert all(not np.array_equal(values[name, 4], values[name, 5]) for name in models)
    by_hand = clone(forest).set_params(randomforestregressor__random_state=5).fit(X[:40], y[:40])
    assert np.array_equal(values["forest", 5], by_hand.predict(X[40:]))


def test_models_given_are_left_as_they_are():
    forest = RandomForestRegressor(5)
    run({"forest": forest}, (X, y), 3, 1)
    assert forest.random_state is None and not hasattr(forest, "estimators_")


@pytest.mark.parametrize("splits", [5, GroupShuffleSplit(4, test_size=0.3)], ids=["number", "splitter"])
def test_groups_never_straddle(splits):
    found = run({"weak": Ridge()}, dataset(), splits, 3, target="a", groups="sample")
    for _, part in found.predictions.groupby(["seed", "split"]):
        rows, sample = part["row"].to_numpy(), np.arange(60) // 3
        assert not set(sample[rows]) & set(sample[np.setdiff1d(np.arange(60), rows)]), "whole samples are left out"
    assert found.predictions["group"].nunique() == 20


@pytest.mark.parametrize("splitter", [ShuffleSplit(3, test_size=0.2), RepeatedKFold(n_splits=3, n_repeats=2)])
def test_splitter_uses_the_seed_unless_it_has_its_own(splitter):
    one, two = (run({"weak": Ridge()}, (X, y), splitter, 2).predictions for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    by_seed = [part["row"].tolist() for _, part in one.groupby("seed")]
    assert by_seed[0] != by_seed[1] and splitter.random_state is None
    splitter.random_state = 9
    fixed = run({"weak": Ridge()}, (X, y), splitter, 2).predictions
    splitter.random_state = None
    assert len({tuple(part["row"]) for _, part in fixed.groupby("seed")}) == 1


def test_named_evaluations_share_a_fit_and_are_reported_apart():
    first, here, there = np.arange(30), np.arange(30, 45), np.arange(60) >= 45
    splits = {"here": (first, here), "there": (first, there)}
    found = run({"counting": Counting(), "weak": Ridge()}, (X, y), splits, 2)
    assert len(COUNT) == 2, "one fit a seed, for both evaluations"
    errors = Ridge().fit(X[:30], y[:30]).predict(X[45:]) - y[45:]
    assert found.table().loc[("there", "weak"), "rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)), abs=EXACT)
    assert list(found.paired().index) == [("here", "weak"), ("there", "weak")]
    assert "p_folds" not in found.paired(), "there are no folds"


def test_missing_reference_values_are_left_out_with_a_warning():
    gaps = y.copy()
    gaps[[7, 20]] = np.nan
    with pytest.warns(SpectrumWarning, match="rows 7, 20"):
        found = run({"weak": Ridge()}, (X, gaps), 5, 1)
    keep = np.setdiff1d(np.arange(60), [7, 20])
    assert sorted(found.predictions["row"]) == keep.tolist()
    without = run({"weak": Ridge()}, (X[keep], y[keep]), 5, 1).predictions
    assert np.array_equal(without["predicted"], found.predictions["predicted"])


# -- What is stored ------------------------------------------------------------------------------------------------


def stored(folder, models=RIDGES, data=(X, y), splits=3, seeds=2, **more):
    return run(models, data, splits, seeds, folder=folder, **more)


def test_second_call_finds_everything_and_says_so(tmp_path, capsys):
    one = stored(tmp_path)
    two = compare(RIDGES, (X, y), 3, 2, folder=tmp_path)
    assert two.fits["found"].all() and not one.fits["found"].any()
    assert "12 of 12 fits found" in capsys.readouterr().err
    pd.testing.assert_frame_equal(one.predictions, two.predictions)
    assert "12 found on disk" in repr(two)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"models": {"weak": Ridge(1e-3), "other": Ridge(2.0)}}, 6),  # a parameter: half of the fits are the same
        ({"models": {"renamed": Ridge(1e-3)}}, 6),  # the name of a model does not matter
        ({"models": {"weak": Ridge(1e-3, random_state=4)}}, 6),  # is replaced by the seed
        ({"models": {"list": LinearRegression()}}, 0),
        ({"data": (X, y + 1e-12 * (np.arange(60) == 5))}, 4),  # one value: found where row 5 is not trained on
        ({"data": (X.astype(np.float32), y)}, 0),
        ({"data": (X[::-1].copy(), y[::-1].copy())}, 0),  # other samples in the same rows
        ({"seeds": [0, 7]}, 6),
        ({"splits": 4}, 0),
    ],
)
def test_only_what_is_the_same_is_found(tmp_path, change, found):
    stored(tmp_path)
    assert stored(tmp_path, **change).fits["found"].sum() == found


def test_order_of_the_training_rows_matters_and_that_of_the_test_rows_is_preserved(tmp_path):
    first, last = np.arange(40), np.arange(40, 60)
    one = stored(tmp_path, splits=[(first, last)], seeds=1)
    assert not stored(tmp_path, splits=[(first[::-1], last)], seeds=1).fits["found"].any()
    turned = stored(tmp_path, splits=[(first, last[::-1])], seeds=1).predictions
    same = one.predictions.merge(turned, on=["model", "row"])
    assert len(same) == 40 and np.allclose(same["predicted_x"], same["predicted_y"], rtol=0, atol=EXACT)


def test_interrupted_run_goes_on_where_it_stopped(tmp_path):
    STOP_AT[0] = 5
    with pytest.raises(KeyboardInterrupt):
        stored(tmp_path, {"counting": Counting()}, seeds=3)
    assert len(list(tmp_path.iterdir())) == 4, "four whole files, and nothing besides"
    resumed = stored(tmp_path, {"counting": Counting()}, seeds=3)
    assert len(COUNT) == 5 + 5 and resumed.fits["found"].sum() == 4
    fresh = run({"counting": Counting()}, (X, y), 3, 3)
    pd.testing.assert_frame_equal(resumed.predictions, fresh.predictions)


@pytest.mark.parametrize("how", ["half", "empty", "text", "flipped", "other"])
def test_broken_file_is_computed_again(tmp_path, how):
    one = stored(tmp_path)
    path = sorted(tmp_path.iterdir())[0]
    content = bytearray(path.read_bytes())
    if how == "other":  # a sound file that is not a result
        np.savez(path, predicted=np.full(20, np.nan), seconds=np.zeros(2))
    else:
        at = content.find(b"NUMPY") + 150  # a byte of the numbers themselves: the checksum of the zip file tells
        content[at] ^= 255
        path.write_bytes({"half": content[:99], "empty": b"", "text": b"hello", "flipped": content}[how])
    two = stored(tmp_path)
    assert two.fits["found"].sum() == 11
    pd.testing.assert_frame_equal(one.predictions, two.predictions)
    assert stored(tmp_path).fits["found"].all(), "and it was repaired"


def test_file_written_by_several_at_once_is_whole_at_any_time(tmp_path):
    result = _Result(np.arange(5000.0), np.ones(2))
    path = tmp_path / "fit.npz"
    _store(path, result)
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(_store, path, result) for _ in range(40)]
        while not all(done.done() for done in writing):
            assert np.array_equal(_stored(path, 5000).predicted, result.predicted)
        assert all(done.exception() is None for done in writing)
    assert [file.name for file in tmp_path.iterdir()] == ["fit.npz"], "no temporary files stay"


def test_fingerprint_sees_what_decides():
    def by(n):
        return lambda x: x + n

    things = [
        Ridge(1.0),
        Ridge(2.0),
        Ridge(1),
        make_pipeline(PCA(2), Ridge()),
        make_pipeline(PCA(3), Ridge()),
        GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=KFold(3)),
        GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=KFold(4)),
        GridSearchCV(Ridge(), {"alpha": [1, 3]}, cv=KFold(3)),
        FunctionTransformer(np.log1p),
        FunctionTransformer(np.exp),
        FunctionTransformer(lambda x: x + 1),
        FunctionTransformer(lambda x: x - 1),
        FunctionTransformer(by(3)),
        FunctionTransformer(by(4)),
        FunctionTransformer(partial(np.add, 1)),
        FunctionTransformer(partial(np.add, 2)),
        RBF(1.0) + WhiteKernel(),
        RBF(1.5) + WhiteKernel(),
        np.random.RandomState(0),
        np.random.RandomState(1),
        np.arange(4.0),
        np.arange(4.0).reshape(2, 2),
        np.array(["a", None], dtype=object),
        {"a": 1, "b": 2},
        {"a": 2, "b": 1},
        {1, 2},
        (1, 2),
    ]
    descriptions = [repr(_describe(thing)) for thing in things]
    assert len(set(descriptions)) == len(descriptions)
    assert repr(_describe({"b": 2, "a": 1})) == repr(_describe({"a": 1, "b": 2})), "order of keys does not matter"


def test_fingerprint_sees_the_code_of_your_own_classes():
    source = "class Mine(Ridge):\n    factor = {}\n    def predict(self, X):\n        return {} * super().predict(X)\n"

    def mine(*values):
        space = {"Ridge": Ridge, "__name__": "__main__"}
        exec(source.format(*values), space)
        return repr(_describe(space["Mine"]()))

    assert mine(1, 2) == mine(1, 2)
    assert len({mine(1, 2), mine(1, 3), mine(2, 2)}) == 3


@pytest.mark.slow
def test_fingerprint_is_the_same_in_another_session():
    code = "import numpy as np; from deep_chemometrics.storage import _describe; from test_evaluation import Counting\n"
    code += "from deep_chemometrics.calibration.references import reference_models\n"
    code += "print(repr([_describe(m) for m in reference_models().values()] + [_describe(Counting(2.0))]))"
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    expected = done.stdout.strip().replace("'test_evaluation'", repr(__name__))
    assert expected == repr([_describe(m) for m in reference_models().values()] + [_describe(Counting(2.0))])


def test_model_without_fingerprint_needs_no_folder(tmp_path):
    model = Weird(n for n in range(3))  # what a generator will yield is not known
    with pytest.raises(ValueError, match="compare it without folder"):
        stored(tmp_path, {"weird": model})
    assert run({"weird": model}, (X, y), 3, 1).table()["failed"].eq(0).all()


class Weird(Ridge):
    """Has a parameter that cannot be told from others."""

    def __init__(self, lock=None):
        super().__init__()
        self.lock = lock

    def __sklearn_clone__(self):
        return self


# -- A model that fails -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "reason"), [("raise", "RuntimeError: out of luck"), ("nan", "NaN"), ("shape", r"shape \(20, 2\)")]
)
def test_failing_model_does_not_stop_the_others(tmp_path, how, reason):
    models = {"broken": Broken(how), **RIDGES}
    with pytest.warns(SpectrumWarning, match=f"broken failed in 6 of 6 fits, first: .*{reason}"):
        found = stored(tmp_path, models)
    table = found.table()
    assert table["failed"].tolist() == [6, 0, 0]
    assert table["rmse"].isna().tolist() == [True, False, False]
    assert list(found.paired("weak").index) == ["strong"]
    with pytest.raises(ValueError, match="reference='broken' is unknown"):
        found.paired()
    assert len(list(tmp_path.iterdir())) == 12, "failures are not stored, they are tried again"


def test_model_that_fails_in_one_fold_is_not_evaluated_by_the_others():
    with pytest.warns(SpectrumWarning, match="some failed in 2 of 3 fits"):
        found = run({"weak": Ridge(), "some": Broken(where=y[0])}, (X, y), 3, 1)
    assert np.isnan(found.table().loc["some", "rmse"])


def test_errors_raise():
    with pytest.raises(RuntimeError, match="out of luck"):
        run({"broken": Broken(), **RIDGES}, (X, y), 3, 1, errors="raise")


def test_nothing_to_evaluate_is_an_error():
    with pytest.warns(SpectrumWarning):
        found = run({"broken": Broken()}, (X, y), 3, 1)
    with pytest.raises(ValueError, match="out of luck"):
        found.table()


# -- Wherever joblib does the work --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["threading", "loky", "multiprocessing"])
def test_backends_agree(backend, tmp_path):
    models = {"forest": RandomForestRegressor(5), "weak": Ridge()}
    alone = run(models, (X, y), 3, 2)
    with joblib.parallel_config(backend=backend, n_jobs=2):
        together = stored(tmp_path, models)
    pd.testing.assert_frame_equal(alone.predictions, together.predictions)
    assert len(list(tmp_path.iterdir())) == 12
    assert np.array_equal(run(models, (X, y), 3, 2, n_jobs=2).predictions["error"], alone.predictions["error"])


class Nested(RegressorMixin, BaseEstimator):
    """Predicts how many jobs a model uses that leaves it to joblib."""

    def fit(self, X, y):
        self.jobs_ = joblib.effective_n_jobs(None)
        return self

    def predict(self, X):
        return np.full(len(X), self.jobs_)


def test_dask_agrees_and_what_a_model_does_in_parallel_stays_with_its_worker():
    distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed")
    models = {**RIDGES, "nested": Nested()}
    alone = run(models, (X, y), 3, 2)
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        together = run(models, (X, y), 3, 2)
    pd.testing.assert_frame_equal(alone.predictions, together.predictions)
    assert (together.predictions.query("model == 'nested'")["predicted"] == 1).all()


# -- Bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": {}}, "at least one"),
        ({"models": [Ridge()]}, "dictionary"),
        ({"models": {"class": Ridge}}, "no scikit-learn estimator"),
        ({"models": {"word": "ridge"}}, "no scikit-learn estimator"),
        ({"dataset": X}, "SpectralDataset, or a pair"),
        ({"dataset": (X, y[:-1])}, "59 rows but there are 60 spectra"),
        ({"dataset": (X, np.where(np.arange(60) == 3, np.inf, y))}, "infinity"),
        ({"dataset": (np.where(X > 2, np.nan, X), y)}, "NaN"),
        ({"dataset": dataset()}, "choose one target with target=..., of: 'a', 'b'"),
        ({"dataset": dataset(), "target": "c"}, "target='c' is unknown"),
        ({"dataset": dataset(), "target": "a", "groups": "batch"}, "groups='batch' is unknown"),
        ({"groups": np.arange(59)}, "each of the 60 spectra"),
        ({"groups": [None] * 60}, "without gaps"),
        ({"splits": 1}, "splits=1"),
        ({"splits": 61}, "61"),
        ({"splits": []}, "no split"),
        ({"splits": [(np.arange(30), np.arange(29, 60))]}, "group that is also trained on: row 29"),
        ({"splits": [(np.arange(30), [31, 31])]}, "repeated rows"),
        ({"splits": [(np.arange(30), [60])]}, "0 to 59"),
        ({"splits": [(np.arange(30), [-1])]}, "0 to 59"),
        ({"splits": [(np.arange(30), [])]}, "row numbers"),
        ({"splits": {"a": (np.arange(30), np.zeros(60, bool))}}, "'a' has no rows"),
        ({"splits": KFold(3), "groups": np.arange(60) // 7}, "group that is also trained on"),
        ({"seeds": 0}, "seeds=0"),
        ({"seeds": []}, "at least one"),
        ({"seeds": [1, 1]}, "different"),
        ({"seeds": [-1]}, "seeds=-1"),
        ({"errors": "ignore"}, "errors='ignore'"),
    ],
)
def test_bad_input_is_explained(change, message):
    given = {"models": RIDGES, "dataset": (X, y), "splits": 3, "seeds": 1, **change}
    with warnings.catch_warnings(), pytest.raises(ValueError, match=message):
        warnings.simplefilter("ignore", UserWarning)  # KFold says that it does not know groups
        run(**given)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: c.table("rsme"), "metric='rsme' is unknown"),
        (lambda c: c.table(lambda y, p: 1.0), "one loss for each of 120"),
        (lambda c: c.table(level=95), "between 0 and 1"),
        (lambda c: c.table(n_resamples=0), "n_resamples"),
        (lambda c: c.paired("unknown"), "reference='unknown' is unknown"),
    ],
)
def test_bad_settings_of_the_tables_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call(run(RIDGES, (X, y), 3, 1))


def test_too_few_samples_for_an_interval():
    lonely = run({"weak": Ridge()}, (X, y), 3, 1)
    with pytest.raises(ValueError, match="no other model"):
        lonely.paired()
    with pytest.raises(ValueError, match="one fold is not enough"):
        run(RIDGES, (X, y), [(np.arange(40), np.arange(40, 60))], 1).paired()
    with pytest.raises(ValueError, match="at least 2 tested samples"):
        run(RIDGES, (X, y), {"one": (np.arange(40), [50])}, 1).table()
