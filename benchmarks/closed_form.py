"""Time to fit the default network of `CNNRegressor`: 500 spectra of 700 channels, one target. Goal: below 60 s.

Processor time and clock, one thread; the process has computed a small network before, so that imports are not counted.
"""

import time

import numpy as np

from deep_chemometrics.networks import CNNRegressor


def spectra(n: int, p: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums of ten bands with scatter and noise, and a curved function of two contents."""
    rng = np.random.default_rng(0)
    axis = np.linspace(0, 1, p)
    contents = rng.uniform(0, 1, (n, 10))
    bands = np.exp(-((axis - rng.uniform(0, 1, (10, 1))) ** 2) / rng.uniform(0.001, 0.02, (10, 1)))
    X = contents @ bands * rng.uniform(0.8, 1.2, (n, 1)) + 0.002 * rng.normal(size=(n, p)) + 1
    return X, contents[:, 0] + contents[:, 1] ** 2 + 0.02 * rng.normal(size=n)


def main() -> None:
    CNNRegressor(verbose=0).fit(*spectra(30, 50))
    X, y = spectra(500, 700)
    clock = time.perf_counter()
    work = time.process_time()
    CNNRegressor(verbose=0).fit(X, y)
    print(
        f"500 x 700: {time.process_time() - work:.1f} s of processor, {time.perf_counter() - clock:.1f} s by the clock"
    )


if __name__ == "__main__":
    main()
