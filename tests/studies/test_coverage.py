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
