"""Make data/soil.csv.gz: the 500 mid-infrared soil spectra that the Python package `soilspecdl` carries.

Only the header changes: short names in place of those of the Open Soil Spectral Library. Every value is copied as the
text that it is, so that not a digit is lost, and compared after writing.

    python -m pip install --no-deps soilspecdl==0.2.0
    python data/make_soil.py
"""

import gzip
from importlib.metadata import distribution
from pathlib import Path

import pandas as pd

COLUMNS = {
    "id": "sample",
    "k.ext_usda.a725_cmolc.kg": "k",
    "cec_usda.a723_cmolc.kg": "cec",
    "oc_usda.c729_w.pct": "oc",
    "clay.tot_usda.a334_w.pct": "clay",
}


def read_text(path: Path) -> pd.DataFrame:
    "A table whose values are the file's own text, nothing missing."
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert (table != "").all(axis=None), "a value is missing"
    return table


def main() -> None:
    source = Path(distribution("soilspecdl").locate_file("soilspecdl/data/toy_kssl_mir.csv.gz"))
    table = read_text(source)
    names, channels = list(table.columns[:5]), list(table.columns[5:])
    assert names == list(COLUMNS) and channels == [str(w) for w in range(600, 4001, 2)], "other columns than expected"
    assert len(table) == 500 and table["id"].is_unique

    target = Path(__file__).parent / "soil.csv.gz"
    text = table.rename(columns=COLUMNS).to_csv(index=False, lineterminator="\n")
    with open(target, "wb") as file, gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed:
        packed.write(text.encode())
    assert (read_text(target).to_numpy() == table.to_numpy()).all(), "a value was changed"
    print(f"{target}: {len(table)} soils, {target.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
