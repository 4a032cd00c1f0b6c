"""The study of coverage: samples stay together, and stored coverages are reproduced."""

import numpy as np
import pandas as pd
import pytest

from studies import coverage as study

STORED = study.results_folder("coverage")


def test_scans_of_a_sample_stay_together():
    groups = np.repeat(np.arange(40), 3)
    parts = study._parts(groups, 0)
    assert sorted(np.concatenate(parts).tolist()) == list(range(120))
    assert [len(np.unique(groups[rows])) for rows in parts] == [20, 10, 10]


def test_coverage_counts_samples_and_not_scans():
    """One sample of nine scans outside, nine samples of one scan inside: 90 %."""

    class Fitted:
        n_calibration_ = 100

        def predict_interval(self, X, level):
            return np.tile([-1.0, 1.0], (len(X), 1))

    y = np.r_[np.full(9, 5.0), np.zeros(9)]
    rows = study._measured(Fitted(), np.zeros((18, 1)), y, np.r_[np.zeros(9), np.arange(1, 10)])
    assert [row["coverage"] for row in rows] == pytest.approx([0.9] * 3)


@pytest.mark.parametrize("method", ["split", "cv+"])
def test_stored_coverage_is_reproduced(method):
    stored = pd.read_csv(STORED / "coverage.csv.gz")
    stored = stored[(stored["dataset"] == "meat, fat") & (stored["method"] == method) & (stored["split"] == 3)]
    again = study.coverage("meat, fat", method, 3)
    np.testing.assert_allclose(stored["width"], again["width"], rtol=0.01)
    assert stored["level"].tolist() == [0.8, 0.9, 0.95]


def test_stored_coverage_of_the_other_instrument_is_reproduced():
    stored = pd.read_csv(STORED / "other_instrument.csv.gz").query("k == 10 and draw == 0")
    again = study.other_instrument(10, 0)
    np.testing.assert_allclose(stored["coverage"], again["coverage"], atol=0.02)  # two of 151 tablets


@pytest.mark.parametrize("dataset", ["tablets, assay", "meat, fat", "soil, clay"])
def test_numbers_of_samples_are_right(dataset):
    assert len(np.unique(study.samples(dataset)[2])) == study.SETS[dataset]


def test_analytic_interval_is_that_of_least_squares():
    """With all components PLS is least squares, whose interval is in every textbook."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 4)) + 9 * np.arange(4)
    X = np.column_stack([X, -X.sum(axis=1)])  # SNV removes two of the five directions
    y = X[:, 0] + rng.normal(size=40)
    fitted = study.model().fit(X, y)
    n_components = fitted[-1].n_components_
    predicted, sd, n_free = study._analytic(X, y, X)
    assert n_free == 40 - n_components - 1
    scores = np.column_stack([np.ones(40), fitted[-1].pls_.x_scores_])
    hat = scores @ np.linalg.pinv(scores)
    residual = np.sum((y - hat @ y) ** 2) / n_free
    np.testing.assert_allclose(predicted, hat @ y)
    np.testing.assert_allclose(sd, np.sqrt(residual * (1 + np.diag(hat))))


def test_noise_is_what_the_spread_leaves():
    """Five members without spread: the standard deviation is the root mean squared error of the calibration samples."""
    passes = (np.zeros((5, 3)), np.ones((5, 2)))
    mean, sd, _ = study._with_noise(passes, np.array([1.0, -2.0, 2.0]))
    assert mean.tolist() == [1, 1]
    np.testing.assert_allclose(sd, np.sqrt(3))


def test_stored_comparison_is_complete():
    stored = pd.read_csv(STORED / "comparison.csv.gz")
    assert set(stored["dataset"]) == set(study.COMPARED)
    assert len(stored) == len(study.COMPARED) * study.COMPARED_SPLITS * 5 * 17
    assert stored.loc[stored["what"] == "coverage", "value"].between(0, 1).all()
