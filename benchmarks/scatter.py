"""Time and memory of MSC and EMSC beside chemotools, in one run: seconds, ratio, peak memory, largest difference.

46,000 x 600 spectra, about what augmenting 460 tablets a hundred times makes: the embedded tablets, tilted, lifted and
stretched at random. Each repetition runs every method once, one after the other, so that a busy machine slows all of
them alike; the median counts. `python benchmarks/scatter.py 5000` takes fewer spectra.
"""

import sys
import time
import tracemalloc
from statistics import median

import numpy as np
from chemotools.scatter import ExtendedMultiplicativeScatterCorrection, MultiplicativeScatterCorrection

from deep_chemometrics.augmentation import augment_scatter
from deep_chemometrics.data import load_tablets
from deep_chemometrics.preprocessing import EMSC, MSC

REPETITIONS = 7


def spectra(n: int) -> np.ndarray:
    "`n` spectra of 600 channels made from the tablets of instrument 1."
    tablets = load_tablets().where(instrument=1).resample(np.linspace(600, 1792, 600)).X
    return augment_scatter(tablets, copies=n // len(tablets) + 1, random_state=0)[:n]


def peak(transform, X: np.ndarray) -> float:
    "Most memory that numpy held during `transform(X)`, its result included, as a multiple of `X`."
    tracemalloc.start()
    transform(X)
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return highest / X.nbytes


def main(n: int) -> None:
    X = spectra(n)
    pairs = {
        "MSC": (MSC(), MultiplicativeScatterCorrection()),
        "EMSC, order 2": (EMSC(order=2), ExtendedMultiplicativeScatterCorrection(order=2)),
    }
    print(f"{len(X)} x {X.shape[1]} spectra, {X.nbytes / 2**20:.0f} MiB; transform, median of {REPETITIONS}\n")
    print(f"{'':14} {'ours':>8} {'chemotools':>11} {'ratio':>6}   {'memory, ours':>12} {'chemotools':>11}   difference")
    for name, pair in pairs.items():
        transforms = [estimator.fit(X).transform for estimator in pair]
        difference = np.abs(transforms[0](X) - transforms[1](X)).max()
        seconds = [[], []]
        for _ in range(REPETITIONS):
            for transform, times in zip(transforms, seconds):
                start = time.perf_counter()
                transform(X)
                times.append(time.perf_counter() - start)
        ours, theirs = map(median, seconds)
        memory = [f"{peak(transform, X):.2f} x X" for transform in transforms]
        print(
            f"{name:14} {ours:6.3f} s {theirs:9.3f} s {ours / theirs:6.2f}   "
            f"{memory[0]:>12} {memory[1]:>11}   {difference:.1e}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 46_000)
