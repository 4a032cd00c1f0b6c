"""Models side by side: what is paired, what is stored, coverage of the intervals; locally weighted PLS; bad input."""

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
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import LinearRegression, Ridge, SGDRegressor
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit, KFold, RepeatedKFold, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from deep_chemometrics.calibration import Comparison, LocallyWeightedPLS, compare, reference_models
from deep_chemometrics.calibration.comparison import sign_flips
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


def test_one_and_the_other_side_of_the_sign_flips():
    """One-sided p values, which choose the components, are half of the two-sided ones of a symmetric difference."""
    d = np.random.default_rng(0).normal(0.25, 1, size=(60, 1))
    two, up, down = sign_flips(d, 0), sign_flips(d, 0, two_sided=False), sign_flips(-d, 0, two_sided=False)
    assert two[0] == pytest.approx(2 * up[0], abs=0.01) and up[0] + down[0] == pytest.approx(1, abs=0.01)
    legacy, new = (sign_flips(d, rng(0))[0] for rng in (np.random.RandomState, np.random.default_rng))
    assert legacy == pytest.approx(new, abs=0.02)


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


# -- What the numbers promise -------------------------------------------------------------------------------------


def comparison(errors, y, groups=None):
    """A `Comparison` from errors {model: (n,) or (n_seeds, n)} on one fixed evaluation."""
    parts, n = [], len(y)
    for name, values in errors.items():
        for seed, e in enumerate(np.atleast_2d(values)):
            columns = {"model": name, "split": "here", "seed": seed, "row": range(n), "y": y, "error": e}
            parts.append(pd.DataFrame({**columns, "predicted": y + e, "group": range(n) if groups is None else groups}))
    fits = pd.DataFrame({"model": list(errors), "seed": 0, "split": "here", "n_train": 10, "n_test": n})
    return Comparison(
        pd.concat(parts), fits.assign(fit_seconds=1.0, predict_seconds=1.0, found=False, failure=""), fixed=True
    )


def test_table_is_what_the_formulas_give():
    errors = rng.normal(size=60) + 0.5
    row = comparison({"a": errors}, y).table().iloc[0]
    assert row["rmse"] == pytest.approx(np.sqrt(np.mean(errors**2)), abs=EXACT)
    assert row["bias"] == pytest.approx(errors.mean(), abs=EXACT) and row["sep"] == pytest.approx(errors.std(ddof=1))
    assert row["r2"] == pytest.approx(1 - np.mean(errors**2) / y.var(), abs=EXACT)
    assert row["low"] < row["rmse"] < row["high"] and "seeds_sd" not in row
    mae = comparison({"a": errors}, y).table("mae").iloc[0]["mae"]
    assert mae == pytest.approx(np.abs(errors).mean(), abs=EXACT)
    assert comparison({"a": errors}, y).table(lambda y, p: np.abs(p - y)).iloc[0]["<lambda>"] == pytest.approx(mae)


def test_seeds_are_shown_and_widen_the_interval():
    alike, apart = np.tile(rng.normal(size=60), (4, 1)), rng.normal(size=60) * np.array([[0.5], [1], [1.5], [2]])
    table = comparison({"alike": alike, "apart": apart}, y).table().loc["here"]
    assert table.loc["alike", "seeds_sd"] == pytest.approx(0, abs=EXACT)
    by_seed = np.sqrt(np.mean(apart**2, axis=1))
    assert table.loc["apart", "seeds_sd"] == pytest.approx(by_seed.std(ddof=1), abs=EXACT)
    one = comparison({"apart": np.sqrt(np.mean(apart**2, axis=0))}, y).table().iloc[0]  # the same, without seeds
    assert np.ptp(table.loc["apart", ["low", "high"]]) > 1.5 * np.ptp(one[["low", "high"]])


def test_replicates_are_not_independent():
    errors = rng.normal(size=20)
    alone = comparison({"a": errors, "b": 2 * errors + 0.3}, y[:20])
    copied = {"a": np.repeat(errors, 5), "b": np.repeat(2 * errors + 0.3, 5)}
    five = comparison(copied, np.repeat(y[:20], 5), groups=np.arange(100) // 5)
    pd.testing.assert_frame_equal(alone.paired(), five.paired())  # up to rounding


def linear(rng, n_train, n, noise=1.0):
    """True and estimated errors of two least-squares models, of channels 0-4 and 5-9, on one set of new samples."""
    X = rng.normal(size=(n_train + n, 10))
    y = X.sum(axis=1) + noise * rng.normal(size=n_train + n)
    errors, truth = {}, {}
    for name, half in {"first": slice(0, 5), "second": slice(5, 10)}.items():
        b = np.linalg.lstsq(X[:n_train, half], y[:n_train], rcond=None)[0]
        errors[name] = X[n_train:, half] @ b - y[n_train:]
        truth[name] = np.sqrt(np.sum((b - 1) ** 2) + 5 + noise**2)
    return errors, truth, y[n_train:]


@pytest.mark.slow
def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng, hits = np.random.default_rng(1), []
    for _ in range(120):
        errors, truth, y = linear(rng, 30, 100)
        found = comparison(errors, y)
        alone, pair = found.table(n_resamples=200).loc["here"].loc["first"], found.paired(n_resamples=200).iloc[0]
        difference = truth["second"] - truth["first"]
        hits.append([alone["low"] <= truth["first"] <= alone["high"], pair["low"] <= difference <= pair["high"]])
    coverage = np.mean(hits, axis=0)  # 120 trials: a standard error of 0.02; percentile intervals are a little short
    assert (coverage > 0.88).all() and (coverage < 0.99).all()


@pytest.mark.slow
def test_sign_flips_raise_few_false_alarms_and_find_more_than_an_unpaired_test():
    rng, trials = np.random.default_rng(2), 150
    alarms, unpaired = {1.0: 0, 2.2: 0}, 0
    for factor in alarms:  # both models share an error of 1, and have one of their own of 0.3, or 0.3 times the factor
        for _ in range(trials):
            a, b = rng.normal(size=80) + 0.3 * rng.normal(size=(2, 80)) * np.array([[1], [factor]])
            alarms[factor] += comparison({"a": a, "b": b}, np.arange(80.0)).paired(n_resamples=1).iloc[0]["p"] < 0.05
            ratio = np.sum(b**2) / np.sum(a**2)
            unpaired += factor > 1 and 2 * min(stats.f.cdf(ratio, 80, 80), stats.f.sf(ratio, 80, 80)) < 0.05
    assert 0.005 <= alarms[1.0] / trials <= 0.1, "level 0.05, standard error 0.018"
    assert alarms[2.2] > 1.5 * unpaired, "15 % in RMSE: too little for the F test, often enough for the paired one"


def test_p_values_against_formulas_and_each_other():
    found = run({"strong": Ridge(30.0), "weak": Ridge(1e-3), "none": Ridge(1e4)}, (X, y), 5, 3)
    pair = found.paired("weak", n_resamples=50)
    loss = found.predictions.assign(loss=found.predictions["error"] ** 2)
    folds = loss.groupby(["model", "seed", "split"])["loss"].mean()
    d = (folds["strong"] - folds["weak"]).to_numpy()
    t = d.mean() / np.sqrt((1 / 15 + 1 / 4) * d.var(ddof=1))
    assert pair.loc["strong", "p_folds"] == pytest.approx(2 * stats.t.sf(abs(t), 14), abs=EXACT)
    assert pair.loc["none", "p"] == 1e-4 and pair.loc["none", "p_holm"] == 2e-4, "the smallest of 9,999 flips, twice"
    assert pair.loc["none", "seeds_better"] == 0
    assert found.paired("none", n_resamples=50).loc["weak", "difference"] == -pair.loc["none", "difference"]


def test_a_model_against_itself():
    pair = run({"one": Ridge(), "two": Ridge()}, (X, y), 5, 2).paired().iloc[0]
    assert pair[["difference", "low", "high"]].eq(0).all() and pair[["p", "p_holm", "p_folds"]].eq(1).all()


def test_the_same_call_gives_the_same_numbers():
    found = run(RIDGES, (X, y), 5, 2)
    pd.testing.assert_frame_equal(found.paired(), found.paired())
    assert not found.paired(random_state=1).equals(found.paired())


def test_plot_shows_the_table():
    found = run({**RIDGES, "none": Ridge(1e4)}, (X, y), 5, 2)
    ax = found.plot("weak", unit="mg")
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["strong", "none"]
    assert ax.get_xlabel() == "RMSE minus that of weak / mg"
    assert np.allclose(ax.containers[0].lines[0].get_xdata(), found.paired("weak")["difference"])
    fixed = comparison({"a": rng.normal(size=9), "b": rng.normal(size=9)}, np.arange(9.0))
    assert [text.get_text() for text in fixed.plot().get_legend().texts] == ["here"]


def test_constant_reference_values_have_no_r2():
    with pytest.warns(SpectrumWarning, match="no R2"):
        table = comparison({"a": rng.normal(size=9)}, np.ones(9)).table()
    assert np.isnan(table.iloc[0]["r2"]) and np.isfinite(table.iloc[0]["rmse"])


# -- Locally weighted PLS, and the other baselines ----------------------------------------------------------------


@parametrize_with_checks([LocallyWeightedPLS()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_without_localization_it_is_ordinary_pls():
    local = LocallyWeightedPLS(5, n_neighbours=40, localization=0).fit(X[:40], y[:40])
    ordinary = PLSRegression(5, scale=False).fit(X[:40], y[:40])
    assert np.abs(local.predict(X[40:]) - ordinary.predict(X[40:])).max() < EXACT


def test_neighbours_are_those_of_the_mahalanobis_distance_between_scores():
    local = LocallyWeightedPLS(3, n_neighbours=15, localization=0).fit(X[:40], y[:40])
    pca = PCA(3, whiten=True).fit(X[:40])
    for x, predicted in zip(X[40:], local.predict(X[40:])):
        distance = np.linalg.norm(pca.transform(X[:40]) - pca.transform(x[None]), axis=1)
        near = np.argsort(distance)[:15]
        alone = PLSRegression(3, scale=False).fit(X[:40][near], y[:40][near])
        assert abs(predicted - alone.predict(x[None])[0]) < EXACT


def test_weights_against_a_slow_formulation():
    """Weighted least squares on the scores of weighted PLS weights, which are found by deflating everything."""
    local = LocallyWeightedPLS(4, n_neighbours=25, localization=0.8).fit(X[:40], y[:40])
    scores = PCA(4, whiten=True).fit(X[:40])
    for x, predicted in zip(X[40:50], local.predict(X[40:50])):
        d = np.linalg.norm(scores.transform(X[:40]) - scores.transform(x[None]), axis=1)
        near = np.argsort(d)[:25]
        weights = np.diag(np.exp(-0.8 * d[near] / d[near].std()))
        A, b = X[:40][near], y[:40][near]
        ones = np.ones((1, 25)) @ weights / weights.sum()
        A, mean, b, level, new = A - ones @ A, ones @ A, b - ones @ b, ones @ b, x - (ones @ A)[0]
        W, E = [], A
        for _ in range(4):
            w = E.T @ weights @ b
            W.append(w / np.linalg.norm(w))
            t = E @ W[-1]
            E = E - np.outer(t, t @ weights @ E) / (t @ weights @ t)
        Z = A @ np.array(W).T  # these span the same space as the scores of PLS
        coefficients = np.linalg.solve(Z.T @ weights @ Z, Z.T @ weights @ b)
        assert abs(level[0] + (new @ np.array(W).T) @ coefficients - predicted) < 1e-8
        assert mean.shape == (1, 12)


def test_nonlinear_target_needs_neighbours():
    t = np.random.default_rng(3).uniform(-2, 2, 300)
    curved = np.column_stack([t, t + 1e-3 * np.sin(9 * t)])
    local = LocallyWeightedPLS(1, n_neighbours=20).fit(curved[:200], t[:200] ** 2)
    straight = PLSRegression(1, scale=False).fit(curved[:200], t[:200] ** 2)
    error = [np.sqrt(np.mean((m.predict(curved[200:]) - t[200:] ** 2) ** 2)) for m in (local, straight)]
    assert error[0] < error[1] / 10


@pytest.mark.parametrize("spectra", [np.ones((9, 4)), np.tile(np.arange(4.0), (9, 1))], ids=["constant", "alike"])
def test_spectra_that_are_all_alike_predict_the_mean(spectra):
    assert LocallyWeightedPLS().fit(spectra, np.arange(9.0)).predict(spectra) == pytest.approx(4.0, abs=EXACT)


@pytest.mark.parametrize("parameters", [{"n_components": 0}, {"n_neighbours": 0}, {"localization": -1.0}])
def test_bad_settings_of_locally_weighted_pls(parameters):
    with pytest.raises(ValueError, match=next(iter(parameters))):
        LocallyWeightedPLS(**parameters).fit(X, y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # a Gaussian process without a curve
@pytest.mark.filterwarnings("ignore:max_components=20 reduced to 12")
@pytest.mark.slow
def test_reference_models_are_better_than_the_mean_and_take_another_preprocessing():
    found = run(reference_models(StandardScaler(), n_scores=8), (X, y), [(np.arange(45), np.arange(45, 60))], 1)
    assert len(found.models) == 7 and (found.table()["rmse"] < y[45:].std()).all()


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
