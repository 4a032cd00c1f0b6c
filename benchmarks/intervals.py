"""Time of CV+ and jackknife+ for PLS beside one cross-validation in the same folds, in one run.

The 451 training tablets of 597 channels, up to 20 components. `choose_once` chooses the number of components once;
without it each fold chooses its own, as shown for CV+ only. The median of three repetitions counts.
"""

import time
import warnings
from statistics import median

from deep_chemometrics.calibration import ConformalRegressor, PLSRegressionCV, rmsecv
from deep_chemometrics.data import load_tablets

REPETITIONS = 3


def seconds(call, *arguments, **named) -> float:
    start = time.process_time()
    call(*arguments, **named)
    return time.process_time() - start


def main() -> None:
    warnings.simplefilter("ignore")
    tablets = load_tablets().where(instrument=1, role="train")
    X = tablets.X
    y = tablets.y["assay"].to_numpy()
    print(f"{'':12} {'cross-validation':>17} {'choose once':>12} {'ratio':>6} {'in each fold':>13}")
    for method, n_folds in (("cv+", 10), ("jackknife+", 451)):
        pls = PLSRegressionCV(20, cv=n_folds)
        once = ConformalRegressor(pls, method, choose_once=True)
        times = [(seconds(rmsecv, X, y, 20, n_folds), seconds(once.fit, X, y)) for _ in range(REPETITIONS)]
        single, both = (median(part) for part in zip(*times, strict=True))
        each = ""
        if method == "cv+":
            each = f"{seconds(ConformalRegressor(pls, method).fit, X, y):.3f} s"
        print(f"{method:12} {single:15.3f} s {both:10.3f} s {both / single:6.2f} {each:>13}")


if __name__ == "__main__":
    main()
