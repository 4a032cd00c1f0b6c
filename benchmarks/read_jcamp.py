"""Seconds of processor time to read 1,000 JCAMP-DX files: `read_jcamp` beside the package jcamp, in turns.

The files are made up, in the forms of the NIST WebBook; where DC_TESTDATA is set, the real ones there are read as well.
Ours also checks what it reads and builds a SpectralDataset. On a busy machine single repetitions differ by a factor of
two and more: look at the range of the ratio before you believe its median.
"""

import contextlib
import io
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import jcamp
import numpy as np

from deep_chemometrics.data import read_jcamp

N_FILES, REPETITIONS = 1000, 5
HEAD = (
    "##TITLE=made up\n##JCAMP-DX=4.24\n##DATA TYPE=INFRARED SPECTRUM\n##XUNITS=1/CM\n##YUNITS=ABSORBANCE\n##XFACTOR=1\n"
    "##YFACTOR=0.0001\n##FIRSTX={x[0]}\n##LASTX={x[1]}\n##NPOINTS={n}\n##XYDATA=(X++(Y..Y))\n"
)


def made_up(n: int, form: str, random: np.random.Generator) -> str:
    """A spectrum of `n` points: ten bands and noise, as plain numbers, or as differences without repetitions."""
    x = np.linspace(450, 4000, n).round(3)
    centres, heights = random.uniform(500, 3900, 10), random.uniform(1000, 20000, 10)
    y = np.exp(-(((x[:, None] - centres) / 30) ** 2)) @ heights + random.normal(scale=20, size=n)
    y = y.round().astype(int)
    lines = []
    for i in range(0, n, 10):
        if form == "plain":
            lines.append(f"{x[i]} " + " ".join(map(str, y[i : i + 10])))
        else:
            before = max(i - 1, 0)
            squeezed = letter(y[before], "@ABCDEFGHI", "abcdefghi")
            steps = [letter(b - a, "%JKLMNOPQR", "jklmnopqr") for a, b in pairwise(y[before : i + 10])]
            lines.append(f"{x[before]}{squeezed}{''.join(steps)}")
    return HEAD.format(x=(x[0], x[-1]), n=n) + "\n".join(lines) + "\n##END=\n"


def letter(number: int, positive: str, negative: str) -> str:
    digits = str(abs(number))
    return (negative[int(digits[0]) - 1] if number < 0 else positive[int(digits[0])]) + digits[1:]


def seconds(read: Callable, paths: list[Path]) -> float:
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.process_time()
        for path in paths:
            read(path)
        return time.process_time() - start


def side_by_side(name: str, paths: list[Path]) -> None:
    theirs, ours = [], []
    for i in range(REPETITIONS):
        turns = [(jcamp.readfile, theirs), (read_jcamp, ours)]
        for read, times in turns if i % 2 else turns[::-1]:
            times.append(seconds(read, paths))
    a, b = statistics.median(theirs), statistics.median(ours)
    ratios = sorted(x / y for x, y in zip(theirs, ours))
    spread = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
    print(f"{name:42} jcamp {a:6.2f} s  read_jcamp {b:5.2f} s  jcamp / read_jcamp {spread}", flush=True)


def main(n_files: int = N_FILES) -> None:
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        for name, n, form in [
            ("880 points, plain", 880, "plain"),
            ("3,570 points, plain", 3570, "plain"),
            ("3,570 points, differences", 3570, "differences"),
        ]:
            texts = [made_up(n, form, random) for _ in range(20)]
            paths = [Path(folder, f"{form}-{n}-{i}.jdx") for i in range(n_files)]
            for i, path in enumerate(paths):
                path.write_text(texts[i % len(texts)])
            side_by_side(f"{n_files:,} files of {name}", paths)
    if real := os.environ.get("DC_TESTDATA"):
        paths = sorted(Path(real, "gas_phase_ir").glob("*.jdx"))
        side_by_side(f"{n_files:,} times one of {len(paths)} real files", (paths * n_files)[:n_files])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
