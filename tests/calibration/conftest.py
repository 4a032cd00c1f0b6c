"""What tests of several modules of calibration share."""

import pytest

from deep_chemometrics.calibration import pls


@pytest.fixture
def seen_folds(monkeypatch):
    """All folds that the module cross-validates with, as (rows that train, rows left out) of spectra."""
    seen, real = [], pls.fold_predictions

    def spy(X, y, folds, *args):
        seen.extend((X[fit], X[left]) for fit, left in folds)
        return real(X, y, folds, *args)

    monkeypatch.setattr(pls, "fold_predictions", spy)
    return seen
