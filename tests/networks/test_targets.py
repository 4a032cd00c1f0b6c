"""Networks refuse targets that numpy would turn into numbers silently, before anything is trained."""

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.explanation import target_check
from deep_chemometrics.networks import CNNClassifier, CNNRegressor

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 50))
Y = X[:, 0] + 3
HIDDEN = np.arange(30) % 8 == 5
WORDS = np.where(Y > 3, "high", "low")
LABELS = pd.DataFrame({"a": Y > 3, "b": Y > 2}).astype(int)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.ma.masked_array(Y, HIDDEN), "is a masked array with 4 values masked"),
        (Y.astype(str), "has text in row 0"),
        (np.arange(30).astype("datetime64[D]"), "has dates or times in row 0"),
        (pd.Series(Y, dtype="Float64").mask(HIDDEN), "contains NaN: first at row 5"),
        ([*Y[:5], None, *Y[6:]], "contains NaN: first at row 5"),
        (pd.DataFrame({"a": Y, "b": Y}).set_axis(["a", "a"], axis=1), "two columns named 'a'"),
    ],
)
def test_regressor(y, message):
    cnn = CNNRegressor("cui_fearn", epochs=1, verbose=0)
    with pytest.raises(ValueError, match=message):
        cnn.fit(X, y)
    assert not hasattr(cnn, "model_")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.ma.masked_array((Y > 3).astype(int), HIDDEN), "is a masked array with 4 values masked"),
        (np.where(Y > 3, np.datetime64("2024-01-01"), np.datetime64("2024-01-02")), "has dates or times in row 0"),
        ([*WORDS[:5], None, *WORDS[6:]], "has no class in row 5"),
        (pd.Series([*WORDS[:5], pd.NA, *WORDS[6:]]), "has no class in row 5"),
        (np.array([*WORDS[:5], 7, *WORDS[6:]], dtype=object), "text in row 0 and something else in row 5"),
        (pd.DataFrame({"a": WORDS, "b": WORDS}), "several columns of classes"),
        (LABELS.set_axis(["a", "a"], axis=1), "two columns named 'a'"),
        (LABELS.astype("Int64").mask(np.c_[HIDDEN, HIDDEN]), "NaN|NA"),
        (LABELS.astype(object).mask(np.c_[HIDDEN, HIDDEN], None), "contains NaN: first at row 5"),
        (np.ma.masked_array(LABELS, np.c_[HIDDEN, HIDDEN]), "is a masked array with 8 values masked"),
    ],
)
def test_classifier(y, message):
    cnn = CNNClassifier("cui_fearn", epochs=1, verbose=0)
    with pytest.raises(ValueError, match=message):
        cnn.fit(X, y)
    assert not hasattr(cnn, "model_")


def test_target_check_keeps_the_mask():
    cnn = CNNRegressor("cui_fearn", epochs=1, verbose=0)
    with pytest.raises(ValueError, match="y_train is a masked array"):
        target_check(cnn, X, np.ma.masked_array(Y, HIDDEN), X[:3])
