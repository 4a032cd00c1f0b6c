"""Make data/meat.csv.gz: the Tecator meat spectra that the R package `modeldata` carries, with their original split.

The spectra and contents come from Debian's package of `modeldata` 1.1.0 (data set `meats`, 215 rows). That its rows
are in the original order, and which of them are training, monitoring and test samples, is verified against a copy of
all 240 samples with the 22 principal components of the original file: these were scaled to unit variance on the
training samples, so the data themselves tell where the training set ends.

    python -m pip install rdata
    apt-get download r-cran-modeldata=1.1.0-1        # or take the file from a Debian mirror
    python data/make_meat.py r-cran-modeldata_1.1.0-1_all.deb [folder with tecator.csv, else it is downloaded]
"""

import gzip
import io
import lzma
import sys
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import rdata

from deep_chemometrics.data.download import fetch_files

SPLIT = {"train": 129, "monitor": 43, "test": 43}  # as the original file describes itself, in this order
URL = (
    "https://raw.githubusercontent.com/caseykneale/ChemometricsData.jl/"
    "9aae583acacb28411e471979fb50148d79ed2967/data/Tecator_Meat_Data/"
)
SHA256 = {"tecator.csv": "22a6d0f71931f6178b169905e99ae610e35387aa4d5630b43ea550277e1a8964"}


def read_deb(path: str, names: list[str]) -> list[bytes]:
    "Contents of the files in a Debian package whose paths end in `names`."
    archive, position = Path(path).read_bytes(), len("!<arch>\n")
    while True:
        header = archive[position : position + 60]  # of a member of the `ar` archive: name, times, size
        size = int(header[48:58])
        if header.startswith(b"data.tar"):
            break
        position += 60 + size + size % 2
    with tarfile.open(fileobj=io.BytesIO(archive[position + 60 : position + 60 + size])) as tar:
        members = {m.name: m for m in tar.getmembers()}
        return [tar.extractfile(next(m for n, m in members.items() if n.endswith(name))).read() for name in names]


def read_meats(path: str) -> pd.DataFrame:
    "Data set `meats` (215 rows; x_001 ... x_100, water, fat, protein) of R's lazy-load database in the package."
    index, base = read_deb(path, ["/modeldata/data/Rdata.rdx", "/modeldata/data/Rdata.rdb"])
    offset, length = map(int, np.ravel(_convert(gzip.decompress(index))["variables"]["meats"]))
    record = base[offset : offset + length]  # four bytes of unpacked length, "Z" for xz, raw LZMA2 data
    assert record[4:5] == b"Z", "another compression than expected"
    raw = lzma.decompress(record[5:], format=lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 9}])
    return _convert(raw)


def _convert(serialised: bytes):
    "A serialised R object as a Python one."
    return rdata.conversion.convert(rdata.parser.parse_data(serialised))


def read_numbers(path: Path, skip: tuple[str, ...] = ()) -> pd.DataFrame:
    "A table of numbers to the last bit (a fast parser may miss it), without the columns `skip`."
    return pd.read_csv(path, dtype=str).drop(columns=list(skip)).map(float)


def verify_order(values: np.ndarray, folder: str | None) -> None:
    "Assert that `values` (215, 103) are the first rows of the complete file and its training set the first 129."
    complete = read_numbers(fetch_files(URL, SHA256, folder)[0])
    spectra, contents = complete.filter(like="absorbance"), complete[["moisture", "fat", "protein"]]
    assert complete.shape == (240, 125) and (values == np.hstack([spectra, contents])[:215]).all(), "other rows"
    components = complete.filter(like="principal_component").to_numpy()
    ends = [n for n in range(100, 216) if np.abs(components[:n].std(axis=0, ddof=1) - 1).max() < 1e-4]
    assert ends == [SPLIT["train"]], f"the original components have unit variance on the first {ends} samples"


def main(deb: str, folder: str | None = None) -> None:
    meats = read_meats(deb)
    assert list(meats.columns) == [f"x_{i:03d}" for i in range(1, 101)] + ["water", "fat", "protein"]
    values = meats.to_numpy(dtype=float)
    assert values.shape == (215, 103) and np.isfinite(values).all()
    verify_order(values, folder)

    table = pd.DataFrame({"sample": np.arange(215), "split": np.repeat(list(SPLIT), list(SPLIT.values()))})
    first = {}  # samples that agree in all three contents get the number of the first: copies, and second scans
    table["group"] = [first.setdefault(contents.tobytes(), i) for i, contents in enumerate(values[:, 100:])]
    table[["water", "fat", "protein"]] = values[:, 100:]
    table = pd.concat([table, pd.DataFrame(values[:, :100], columns=range(1, 101))], axis=1)

    target = Path(__file__).parent / "meat.csv.gz"
    with open(target, "wb") as file, gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed:
        packed.write(table.to_csv(index=False, lineterminator="\n").encode())
    written = read_numbers(target, skip=("sample", "split", "group"))
    assert (written.to_numpy() == np.roll(values, 3, axis=1)).all(), "a value was changed"
    print(f"{target}: {len(table)} samples, {len(set(table['group']))} groups, {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
