"""Set before anything imports scipy: with this scikit-learn's check_estimator skips none of its checks."""

import os

import numpy as np
import pytest

os.environ.setdefault("SCIPY_ARRAY_API", "1")


@pytest.fixture(scope="module")
def tablets():
    """All embedded spectra (1284, 597), a copy for each file of tests."""
    from deep_chemometrics.datasets import load_tablets

    return np.array(load_tablets().X)


@pytest.fixture(scope="module")
def train(tablets):
    """Some of them, all from instrument 1, to learn references from."""
    return tablets[:155]
