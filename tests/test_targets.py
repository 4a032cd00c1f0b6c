"""Targets that numpy would turn into numbers silently are refused by everything that takes a target."""

import datetime

import numpy as np
import pandas as pd
import pytest
from sklearn.cross_decomposition import PLSRegression

from deep_chemometrics.augmentation import augment_mixup
from deep_chemometrics.calibration import (
    PLSDA,
    AutoPLS,
    AutoRidge,
    ConformalClassifier,
    ConformalRegressor,
    LocallyWeightedPLS,
    PLSRegressionCV,
    SlopeBias,
    calibration_report,
    compare,
    error_report,
    nested_rmse,
    rmsecv,
    select_samples,
)
from deep_chemometrics.calibration.diagnostics import explained_variance
from deep_chemometrics.calibration.kernel_pls import KernelPLSRegression
from deep_chemometrics.checks import check_numbers, check_spectra, unusual
from deep_chemometrics.data import SpectralDataset
from deep_chemometrics.plotting import plot_predictions

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 8))
Y = X[:, 0] + 3
HIDDEN = np.arange(40) % 8 == 5
NEW = pd.DataFrame({"fat": Y, "water": Y})

# what must be refused, and a part of the message
TARGETS = {
    "masked": (np.ma.masked_array(Y, HIDDEN), "is a masked array with 5 values masked"),
    "dates": (np.arange(40).astype("datetime64[D]"), "has dates or times in row 0"),
    "durations": (pd.Series(pd.to_timedelta(Y, unit="h")), "has dates or times in row 0"),
    "dates of Python": ([datetime.date(2024, 1, 1)] * 40, "has dates or times in row 0"),
    "dates with a time zone": (pd.Series(pd.date_range("2024", periods=40, tz="UTC")), "has dates or times in row 0"),
    "text": (Y.astype(str), "has text in row 0"),
    "text as objects": (np.array([*map(str, Y)], dtype=object), "has text in row 0"),
    "text of pandas": (pd.Series([*map(str, Y)]), "has text in row 0"),
    "one word": ([*Y[:7], "n.d.", *Y[8:]], "has text in row [07]"),
    "one word of pandas": (pd.Series([*Y[:7], "1.5", *Y[8:]], dtype=object), "has text in row 7"),
    "NA": (pd.Series(Y, dtype="Float64").mask(HIDDEN), r"contains NaN: first at row 5"),
    "NA as an object": (pd.Series([*Y[:5], pd.NA, *Y[6:]], dtype=object), r"contains NaN: first at row 5"),
    "None": ([*Y[:5], None, *Y[6:]], r"contains NaN: first at row 5"),
    "NaN": (np.where(HIDDEN, np.nan, Y), r"contains NaN: first at (value|row) 5"),
    "equal names": (NEW.set_axis(["fat", "fat"], axis=1), "has two columns named 'fat'|draw one target at a time"),
    "fields": (np.array([(1.0, 2.0)] * 40, dtype=[("a", "f8"), ("b", "f8")]), "is a table of fields"),
}

REGRESSORS = {
    "PLSRegressionCV": lambda y: PLSRegressionCV(3, cv=3).fit(X, y),
    "KernelPLSRegression": lambda y: KernelPLSRegression(2).fit(X, y),
    "LocallyWeightedPLS": lambda y: LocallyWeightedPLS(2).fit(X, y),
    "AutoPLS": lambda y: AutoPLS(max_components=2, cv=3).fit(X, y),
    "AutoRidge": lambda y: AutoRidge(cv=3).fit(X, y),
    "ConformalRegressor": lambda y: ConformalRegressor(PLSRegressionCV(2, cv=3)).fit(X, y),
    "SlopeBias": lambda y: SlopeBias(PLSRegression(2).fit(X, Y)).fit(X, y),
}
METRICS = {
    "rmsecv": lambda y: rmsecv(X, y, 3, cv=3),
    "nested_rmse": lambda y: nested_rmse(PLSRegressionCV(2, cv=3), X, y, cv=3),
    "error_report": lambda y: error_report(y, Y),
    "error_report, predicted": lambda y: error_report(Y, y),
    "calibration_report": lambda y: calibration_report(PLSRegressionCV(2, cv=3).fit(X, Y), (X, y), cv=3),
    "calibration_report, test": lambda y: calibration_report(
        PLSRegressionCV(2, cv=3).fit(X, Y), (X, Y), {"test": (X, y)}, cv=3
    ),
    "explained_variance": lambda y: explained_variance(PLSRegression(2).fit(X, Y), X, y),
    "compare": lambda y: compare({"PLS": PLSRegression(2)}, (X, y), 3, seeds=1, progress=False),
    "select_samples": lambda y: select_samples(X, 5, method="spxy", y=y),
    "augment_mixup": lambda y: augment_mixup(X, y, random_state=0),
    "plot_predictions": lambda y: plot_predictions(y, {"PLS": Y}),
    "scores of targets": lambda y: KernelPLSRegression(2).fit(X, Y).transform(X, y),
}


# compare leaves out samples without a reference value, with a warning: see below
PAIRS = [
    (name, target)
    for name in REGRESSORS | METRICS
    for target, (_, message) in TARGETS.items()
    if name != "compare" or "contains NaN" not in message
]


@pytest.mark.parametrize(("name", "target"), PAIRS)
@pytest.mark.filterwarnings("ignore")
def test_targets_that_are_no_numbers(name, target):
    y, message = TARGETS[target]
    with pytest.raises(ValueError, match=message):
        (REGRESSORS | METRICS)[name](y)


@pytest.mark.parametrize("name", REGRESSORS | METRICS)
@pytest.mark.parametrize("kind", ["list", "float32", "Float64", "object", "nothing masked", "column"])
@pytest.mark.filterwarnings("ignore")
def test_targets_that_are_numbers(name, kind):
    y = {
        "list": Y.tolist(),
        "float32": Y.astype("float32"),
        "Float64": pd.Series(Y, dtype="Float64"),
        "object": Y.astype(object),
        "nothing masked": np.ma.masked_array(Y, False),
        "column": pd.DataFrame({"fat": Y}),
    }[kind]
    (REGRESSORS | METRICS)[name](y)


def test_gaps_in_a_comparison():
    """None and NA are left out as NaN is, and named."""
    for y in (TARGETS["NA"][0], TARGETS["NA as an object"][0], TARGETS["NaN"][0]):
        with pytest.warns(UserWarning, match="no reference value in row"):
            compare({"PLS": PLSRegression(2)}, (X, y), 3, seeds=1, progress=False)


# -- Classes --------------------------------------------------------------------------------------------------------

WORDS = np.where(Y > 3, "high", "low")
CLASSES = {
    "masked": (np.ma.masked_array((Y > 3).astype(int), HIDDEN), "is a masked array with 5 values masked"),
    "dates": (np.where(Y > 3, np.datetime64("2024-01-01"), np.datetime64("2024-01-02")), "has dates or times in row 0"),
    "None": ([*WORDS[:5], None, *WORDS[6:]], "has no class in row 5"),
    "NA": (pd.Series([*WORDS[:5], pd.NA, *WORDS[6:]]), "has no class in row 5"),
    "NA among numbers": (pd.Series((Y > 3).astype(int), dtype="Int64").mask(HIDDEN), "contains NaN: first at value 5"),
    "NaN among words": (pd.Series([*WORDS[:5], np.nan, *WORDS[6:]], dtype=object), "has no class in row 5"),
    "NaN": (np.where(HIDDEN, np.nan, Y > 3), "NaN"),
    "words and numbers": (
        np.array([*WORDS[:5], 7, *WORDS[6:]], dtype=object),
        "text in row 0 and something else in row 5",
    ),
    "measured values": (Y, "Unknown label type"),
    "equal names": (pd.DataFrame({"a": WORDS, "b": WORDS}).set_axis(["a", "a"], axis=1), "two columns named 'a'"),
    "too few": (WORDS[:-1], "inconsistent numbers of samples"),
    "nothing": (None, "requires y to be passed"),
}
CLASSIFIERS = {
    "PLSDA": lambda y: PLSDA(2, cv=3).fit(X, y),
    "ConformalClassifier": lambda y: ConformalClassifier(PLSDA(2, cv=3)).fit(X, y),
}


@pytest.mark.parametrize("target", CLASSES)
@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.filterwarnings("ignore")
def test_targets_that_are_no_classes(name, target):
    y, message = CLASSES[target]
    with pytest.raises(ValueError, match=message):
        CLASSIFIERS[name](y)


@pytest.mark.parametrize("name", CLASSIFIERS)
@pytest.mark.parametrize("kind", ["digits as text", "objects", "categories", "Int64", "booleans", "column"])
@pytest.mark.filterwarnings("ignore")
def test_targets_that_are_classes(name, kind):
    numbers = (Y > 3).astype(int)
    y, classes = {
        "digits as text": (numbers.astype(str), ["0", "1"]),
        "objects": (WORDS.astype(object), ["high", "low"]),
        "categories": (pd.Series(WORDS, dtype="category"), ["high", "low"]),
        "Int64": (pd.Series(numbers, dtype="Int64"), [0, 1]),
        "booleans": (Y > 3, [False, True]),
        "column": (pd.DataFrame({"class": WORDS}), ["high", "low"]),
    }[kind]
    assert CLASSIFIERS[name](y).classes_.tolist() == classes


# -- Spectra --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spectra", "message"),
    [
        (np.ma.masked_array(X, X > 2), "is a masked array"),
        (X.astype(str), "has text in row 0"),
        (pd.DataFrame(X).astype({3: str}), "has text in row 0"),
        (pd.DataFrame(X, dtype=object).replace(X[4, 2], None), "contains NaN: first at row 4"),
        (np.zeros((4, 3), "datetime64[D]"), "has dates or times in row 0"),
    ],
)
def test_spectra_that_are_no_numbers(spectra, message):
    for take in (
        check_spectra,
        lambda X: PLSRegressionCV(2, cv=3).fit(X, Y),
        lambda X: SpectralDataset(X, axis=range(8)),
    ):
        with pytest.raises(ValueError, match=message):
            take(spectra)


def test_first_rows_of_each_kind():
    mixed = np.array([[1.0, 2.0], [None, "a"], [datetime.date(2024, 1, 1), pd.NaT]], dtype=object)
    assert unusual(mixed) == {"other": (0, 0), "gap": (1, 0), "text": (1, 1), "date": (2, 0)}
    assert unusual(X) == unusual(pd.DataFrame(X)) == unusual([]) == {}
    check_numbers([1.0, None], gaps=True)
