"""Paired comparison: tables against formulas, coverage of the intervals, false alarms of the tests."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import Ridge

from deep_chemometrics.calibration import Comparison, compare
from deep_chemometrics.calibration.comparison import sign_flips
from deep_chemometrics.checks import SpectrumWarning

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 12))
y = X @ rng.normal(size=12) + 0.5 * rng.normal(size=60) + 10
RIDGES = {"strong": Ridge(30.0), "weak": Ridge(1e-3)}
EXACT = 1e-9  # the same computation in float64 on values of the order of ten: only the order of summation differs

run = partial(compare, progress=False)


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


def test_one_and_the_other_side_of_the_sign_flips():
    """One-sided p values, which choose the components, are half of the two-sided ones of a symmetric difference."""
    d = np.random.default_rng(0).normal(0.25, 1, size=(60, 1))
    two, up, down = sign_flips(d, 0), sign_flips(d, 0, two_sided=False), sign_flips(-d, 0, two_sided=False)
    assert two[0] == pytest.approx(2 * up[0], abs=0.01) and up[0] + down[0] == pytest.approx(1, abs=0.01)
    legacy, new = (sign_flips(d, rng(0))[0] for rng in (np.random.RandomState, np.random.default_rng))
    assert legacy == pytest.approx(new, abs=0.02)
