"""Time of PLS with a cross-validated number of components, beside other ways to the same numbers, in one run.

Two parts are measured, the whole `PLSRegressionCV().fit` and the ten-fold cross-validation alone, `rmsecv`:

- refitting: scikit-learn's PLSRegression, once for every size in every fold (and once more for the final model)
- slicing: one fit of scikit-learn a fold, its components added up one by one
- ikpls: the package called directly, by the algorithm and in the way that is fastest for the shape

Folds cost alike, so of refitting and slicing, which take minutes, one fold is timed and counted tenfold. All ways run
in turn, several times, so that a busy machine slows all alike; the least time of each counts. Give the shapes to run,
for example `python benchmarks/pls.py small medium`; without, all run, in some minutes and 4 GB. Compare with one
thread by OPENBLAS_NUM_THREADS=1.
"""

import contextlib
import io
import sys
import time

import numpy as np
from ikpls.fast_cross_validation.numpy import PLS as FastFolds
from ikpls.numpy import PLS as KernelPLS
from sklearn.cross_decomposition import PLSRegression
from sklearn.model_selection import KFold

from deep_chemometrics.calibration import PLSRegressionCV, rmsecv

SHAPES = {
    "small": (460, 600, 20),
    "medium": (5_000, 1_000, 30),
    "large": (50_000, 1_000, 30),
}
FOLDS = 10


def simulated(n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    "Spectra of 60 overlapping bands with noise, and a target that needs twenty of them."
    rng = np.random.default_rng(0)
    axis = np.linspace(0, 1, p)
    centres = rng.random((60, 1))
    bands = np.exp(-(((axis - centres) / rng.uniform(0.01, 0.1, (60, 1))) ** 2))
    amounts = rng.random((n, 60))
    X = amounts @ bands
    X += rng.normal(0, 1e-3, X.shape)
    return X, amounts[:, :20] @ rng.normal(size=20) + rng.normal(0, 0.01, n)


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def ways(X: np.ndarray, y: np.ndarray, size: int) -> dict:
    "What is timed, and how often it would have to run: {name: (call, times)}."
    n, p = X.shape
    folds = list(KFold(FOLDS, shuffle=True, random_state=0).split(X))
    number = np.empty(n, dtype=int)
    for i, (_, left) in enumerate(folds):
        number[left] = i
    train, left = folds[0]

    def by_ikpls():
        if n < 2 * p:
            for fit, out in folds:
                kernel = KernelPLS(1, scale_X=False, scale_Y=False)
                kernel.fit(X[fit], y[fit], size).predict(X[out])
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

    return {
        "fit": (lambda: PLSRegressionCV(size, cv=folds).fit(X, y), 1),
        "rmsecv": (lambda: rmsecv(X, y, size, cv=folds), 1),
        "ikpls": (by_ikpls, 1),
        "slicing": (by_slicing, FOLDS),
        "refitting": (by_refitting, FOLDS),
        "final fit": (lambda: PLSRegression(size // 2, scale=False).fit(X, y), 1),
    }


def compared(name: str) -> str:
    "A line of the table: seconds of all ways for one shape, and their ratios."
    n, p, size = SHAPES[name]
    X, y = simulated(n, p)
    timed = ways(X, y, size)
    if name == "large":  # refitting would take hours
        del timed["refitting"]
    rounds = {"small": 9, "medium": 3, "large": 1}[name]
    least = {}
    for _ in range(rounds):
        for way, (call, times) in timed.items():
            took = times * seconds(call)
            least[way] = min(took, least.get(way, took))
    line = f"{name:8}{n:7d} {p:5d} {size:3d}"
    for way in ("fit", "rmsecv", "ikpls", "slicing", "refitting"):
        line += f"{least[way]:10.3f}" if way in least else " " * 10
    ours, fold = least["fit"], least["rmsecv"]
    line += f"   rmsecv takes {fold / least['ikpls']:.2f} x ikpls, slicing {least['slicing'] / fold:.0f} x rmsecv"
    if "refitting" in least:
        whole = least["refitting"] + least["final fit"]
        line += f"; refitting every size takes {whole / ours:.0f} x the whole fit"
    return line


def main(names: list[str]) -> None:
    print(
        f"{'seconds':8}{'n':>7} {'p':>5} {'A':>3}{'fit':>10}{'rmsecv':>10}{'ikpls':>10}{'slicing':>10}{'refitting':>10}"
    )
    for name in names:
        print(compared(name), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(SHAPES))
