"""Time of piecewise direct standardisation beside chemotools, in one run: fit and transform, ratio, largest difference.

20 pairs of 650 channels, windows of 11 and 51 channels, two latent variables; 10,000 spectra to transform. Each
repetition runs both, one after the other; the median counts. chemotools has two ways of storing its coefficients; the
faster one counts.
"""

import time
from statistics import median

import numpy as np
from chemotools.adaptation import PiecewiseDirectStandardization as Theirs

from deep_chemometrics.calibration import PiecewiseDirectStandardization

REPETITIONS = 3


def seconds(call, *arguments, **named) -> float:
    start = time.perf_counter()
    call(*arguments, **named)
    return time.perf_counter() - start


def main() -> None:
    rng = np.random.default_rng(0)
    source = rng.normal(size=(20, 650)).cumsum(axis=1)
    target = 1.1 * source + 0.3 + 0.01 * rng.normal(size=source.shape)
    new = np.repeat(target, 500, axis=0)
    print(f"{'':24} {'ours':>8} {'chemotools':>11} {'ratio':>6}   difference")
    for half in (5, 25):
        ours = PiecewiseDirectStandardization(half, 2)
        theirs = [Theirs(half, 2, scale=False, storage=storage) for storage in ("dense", "band")]
        times = {"fit": ([], []), "transform": ([], [])}
        for _ in range(REPETITIONS):
            times["fit"][0].append(seconds(ours.fit, target, X_source=source))
            times["fit"][1].append(min(seconds(one.fit, target, X_source=source) for one in theirs))
            times["transform"][0].append(seconds(ours.transform, new))
            times["transform"][1].append(min(seconds(one.transform, new) for one in theirs))
        difference = np.abs(ours.transform(new) - theirs[0].transform(new)).max()
        for name, (own, other) in times.items():
            a, b = median(own), median(other)
            print(f"{name:10} window {2 * half + 1:5}  {a:7.3f} s {b:9.3f} s {a / b:6.2f}   {difference:.1e}")


if __name__ == "__main__":
    main()
