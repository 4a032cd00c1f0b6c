"""Time of the 10-fold cross-validation of PLS of all sizes, `rmsecv`, beside other ways to the same numbers, in a run.

- refitting: scikit-learn's PLSRegression, once for every size in every fold
- slicing: one fit of scikit-learn a fold, its components added up one by one
- ikpls: the package called directly, by the algorithm and in the way that is fastest for the shape

Folds cost alike, so of refitting and slicing, which take minutes, one fold is timed and counted tenfold. `rmsecv` and
ikpls run in turn, so that a busy machine slows both alike; the median counts. On small shapes the threads of BLAS get
in each other's way: compare with OPENBLAS_NUM_THREADS=1. Give the shapes to run, for example
`python benchmarks/pls.py small medium`; without, all three run, in some minutes and 4 GB.
"""

import contextlib
import io
import sys
import time
from statistics import median

import numpy as np
from ikpls.fast_cross_validation.numpy import PLS as FastFolds
from ikpls.numpy import PLS as KernelPLS
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import KFold

from deep_chemometrics.calibration import rmsecv

SHAPES = {"small": (460, 650, 20), "medium": (5_000, 1_000, 30), "large": (50_000, 1_000, 30)}
FOLDS = 10


def made_up(n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    "Spectra of 60 overlapping bands with noise, and a target that needs twenty of them."
    rng = np.random.default_rng(0)
    axis = np.linspace(0, 1, p)
    bands = np.exp(-(((axis - rng.random((60, 1))) / rng.uniform(0.01, 0.1, (60, 1))) ** 2))
    amounts = rng.random((n, 60))
    X = amounts @ bands
    X += rng.normal(0, 1e-3, X.shape)
    return X, amounts[:, :20] @ rng.normal(size=20) + rng.normal(0, 0.01, n)


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def compared(name: str) -> str:
    "A line of the table: seconds of all ways for one shape."
    n, p, size = SHAPES[name]
    X, y = made_up(n, p)
    folds = list(KFold(FOLDS, shuffle=True, random_state=0).split(X))
    number = np.empty(n, dtype=int)
    for i, (_, left) in enumerate(folds):
        number[left] = i
    train, left = folds[0]

    def by_ikpls():
        if n < 2 * p:
            for fit, out in folds:
                KernelPLS(1, scale_X=False, scale_Y=False).fit(X[fit], y[fit], size).predict(X[out])
            return
        with contextlib.redirect_stdout(io.StringIO()):
            kernel = FastFolds(2, scale_X=False, scale_Y=False, copy=False)
            kernel.cross_validate(X, y, size, number, lambda y, found: found, n_jobs=1, verbose=0)

    def by_slicing():
        pls = PLSRegression(size, scale=False).fit(X[train], y[train])
        np.cumsum(pls.transform(X[left]).T[:, :, None] * pls.y_loadings_.T[:, None], axis=0)

    def by_refitting():
        for a in range(1, size + 1):
            PLSRegression(a, scale=False).fit(X[train], y[train]).predict(X[left])

    repetitions = 3 if name == "large" else 7
    pairs = [(seconds(lambda: rmsecv(X, y, size, cv=folds)), seconds(by_ikpls)) for _ in range(repetitions)]
    ours, ikpls = (median(times) for times in zip(*pairs))
    line = f"{n:6d} {p:5d} {size:3d}  {ours:6.2f} s {ikpls:6.2f} s "
    slicing = FOLDS * seconds(by_slicing)
    verdict = f"takes {ours / ikpls:.2f} x ikpls; slicing takes {slicing / ours:.0f} x as long"
    if name == "large":  # refitting would take hours
        return f"{line}{slicing:7.1f} s {'':8}     {verdict}"
    refitting = FOLDS * seconds(by_refitting)
    return f"{line}{slicing:7.1f} s {refitting:8.1f} s   {verdict}, refitting {refitting / ours:.0f} x"


def main(names: list[str]) -> None:
    print(f"{'n':>6} {'p':>5} {'A':>3}  {'rmsecv':>8} {'ikpls':>8} {'slicing':>9} {'refitting':>10}   rmsecv ...")
    for name in names:
        print(compared(name), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(SHAPES))
