"""Time of `AutoPLS` and `AutoRidge` beside scikit-learn's grid search over the same preprocessings and sizes.

The grid search fits every preprocessing, size and fold by itself. Fits of one preprocessing and size cost alike in all
folds, so that one fold of every third size is timed, and counted for the others. Processor time, one thread, 451
tablets; the least of two runs of ours.
"""

import time

import numpy as np
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from deep_chemometrics.calibration import AutoPLS, AutoRidge
from deep_chemometrics.calibration.automatic import preprocessing_bank
from deep_chemometrics.data import load_tablets

FOLDS = 5


def seconds(function) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def grid_seconds(X, y, models) -> float:
    """All preprocessings, sizes and folds, from one fold of every third size."""
    train = np.arange(len(X)) % FOLDS != 0
    total = 0.0
    for step in preprocessing_bank(X.shape[1]).values():
        for model in models[::3]:
            pipeline = make_pipeline(step, model)
            total += seconds(lambda p=pipeline: p.fit(X[train], y[train]).predict(X[~train]))
    return total * FOLDS * len(models) / len(models[::3])


def main() -> None:
    ds = load_tablets().where(instrument=1, role="train")
    X, y = np.array(ds.X), ds.y["assay"].to_numpy()
    pls = [PLSRegression(a, scale=False) for a in range(1, 21)]
    ridge = [Ridge(alpha) for alpha in np.logspace(-8, 4, 25)]
    with threadpool_limits(1):
        for ours, models in ((AutoPLS(), pls), (AutoRidge(), ridge)):
            own = min(seconds(lambda o=ours: o.fit(X, y)) for _ in range(2))
            grid = grid_seconds(X, y, models)
            print(f"{type(ours).__name__}: {own:.2f} s, grid search {grid:.1f} s, {grid / own:.0f} x", flush=True)


if __name__ == "__main__":
    main()
