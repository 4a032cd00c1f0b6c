"""The tablets are the original ones, embedded or complete."""

import gzip
import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.data import embedded, load_tablets
from deep_chemometrics.data.download import fetch_files

ROOT = Path(__file__).resolve().parents[2]
OUTLIERS = [18, 121, 125, 126, 205, 339, 461, 488, 489, 507, 535, 536, 537]
ORIGINALS = Path(os.environ.get("DC_TESTDATA", "-"), "idrc2002")


def test_tablets_are_what_the_docs_say():
    ds = load_tablets()
    assert ds.X.shape == (1284, 597) and np.array_equal(ds.axis, np.arange(600, 1793, 2))
    assert list(ds.y.columns) == ["assay"] and list(ds.samples.columns) == [
        "tablet",
        "instrument",
        "role",
        "original_split",
    ]
    assert (ds.samples["instrument"] == np.repeat([1, 2], 642)).all()
    one, two = ds.where(instrument=1), ds.where(instrument=2)
    assert one.samples[["tablet", "original_split"]].equals(two.samples[["tablet", "original_split"]]) and one.y.equals(
        two.y
    )
    assert list(one.samples["tablet"]) == sorted(set(range(655)) - set(OUTLIERS))
    split = np.select([one.samples["tablet"] < 155, one.samples["tablet"] < 195], ["calibrate", "validate"], "test")
    assert (one.samples["original_split"] == split).all()
    assert dict(one.samples["original_split"].value_counts()) == {"test": 451, "calibrate": 151, "validate": 40}
    # the same tablet looks alike on both instruments, more than any two tablets do on one
    correlation = np.corrcoef(one.X[:50], two.X[:50])[:50, 50:]
    assert np.median(correlation.diagonal()) > np.median(correlation)


def test_two_loads_share_nothing():
    assert not np.shares_memory(load_tablets().X, load_tablets().X)


def test_checksum_in_the_readme_is_the_files():
    said = re.search(r"^\*\*sha256\*\* `([0-9a-f]{64})`$", (ROOT / "data" / "README.md").read_text("utf-8"), re.M)
    assert hashlib.sha256((ROOT / "data" / "tablets.csv.gz").read_bytes()).hexdigest() == said[1]


def test_checksums_of_the_complete_files_are_those_in_the_readme():
    readme = (ROOT / "data" / "README.md").read_text("utf-8")
    assert dict(re.findall(r"^\| (\S+\.csv) \| ([0-9a-f]{64}) \|$", readme, re.M)) == embedded._TABLETS_SHA256


original = pytest.mark.skipif(
    not ORIGINALS.is_dir(), reason="DC_TESTDATA names no folder with idrc2002, the original files of the shootout"
)


@original
def test_tablets_are_the_original_ones_bit_by_bit():
    ds = load_tablets()
    for instrument in (1, 2):
        path, ours = ORIGINALS / f"Pharma_Instrument{instrument}.csv", ds.where(instrument=instrument)
        file = pd.read_csv(path).iloc[ours.samples["tablet"]]
        assert list(file.columns[4:601]) == [str(int(nm)) for nm in ours.axis]
        values = np.loadtxt(path, delimiter=",", skiprows=1, usecols=range(4, 601))  # another parser, correctly rounded
        assert np.array_equal(ours.X, values[ours.samples["tablet"]])
        assert np.array_equal(ours.y["assay"], file["assay"].round(2))
        expected = file["SampleType"].map({"Train": "calibrate", "Validate": "validate", "Test": "test"})
        assert (ours.samples["original_split"].to_numpy() == expected.to_numpy()).all()


@original
def test_complete_tablets_from_files_put_by_hand(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "_TABLETS_URL", "http://127.0.0.1:9/")  # the discard port: no answer
    for name in embedded._TABLETS_SHA256:
        (tmp_path / name).write_bytes((ORIGINALS / name).read_bytes())
    full = load_tablets(complete=True, cache=tmp_path)
    assert full.X.shape == (1310, 650) and full.axis[-1] == 1898
    assert list(full.samples.columns) == ["tablet", "instrument", "role", "original_split", "weight", "hardness"]
    few = load_tablets()
    kept = ~full.samples["tablet"].isin(OUTLIERS)
    assert np.array_equal(full.X[kept, :597], few.X)
    assert np.array_equal(full.y["assay"][kept], few.y["assay"])
    assert (full.samples["original_split"][kept].to_numpy() == few.samples["original_split"].to_numpy()).all()


def test_complete_tablets_offline_say_what_to_do(server, tmp_path, monkeypatch):
    server.stop()
    monkeypatch.setattr(embedded, "_TABLETS_URL", server.url)
    monkeypatch.setattr(embedded, "fetch_files", lambda *args: fetch_files(*args, retries=0))
    with pytest.raises(OSError, match=f"{server.url}Pharma_Instrument1.csv") as caught:
        load_tablets(complete=True, cache=tmp_path)
    assert str(tmp_path / "Pharma_Instrument1.csv") in str(caught.value)


def original_form(seed, n=6):
    """A file in the form of the original ones, with the assay as the float32 that it is there."""
    rng = np.random.default_rng(seed)
    about = pd.DataFrame({"SampleType": ["Train", "Validate", "Test"] * (n // 3), "weight": 378.02, "hardness": 20.9})
    channels = pd.DataFrame(rng.random((n, 5)).round(6), columns=range(600, 610, 2))
    return pd.concat([about.assign(assay=[float(np.float32(190.1 + i)) for i in range(n)]), channels], axis=1)


def test_complete_tablets_of_generated_files(server, tmp_path, monkeypatch):
    frames = {name: original_form(seed) for seed, name in enumerate(embedded._TABLETS_SHA256)}
    sha256 = server.serve(**{name: frame.to_csv(index=False).encode() for name, frame in frames.items()})
    monkeypatch.setattr(embedded, "_TABLETS_URL", server.url)
    monkeypatch.setattr(embedded, "_TABLETS_SHA256", sha256)
    ds = load_tablets(complete=True, cache=tmp_path)
    assert list(ds.samples["tablet"]) == [*range(6), *range(6)] and list(ds.samples["instrument"]) == [1] * 6 + [2] * 6
    assert list(ds.samples["original_split"][:3]) == ["calibrate", "validate", "test"] and list(ds.axis) == [
        *range(600, 610, 2)
    ]
    assert list(ds.y["assay"][:2]) == [190.1, 191.1]
    assert np.array_equal(ds.X[6:], frames["Pharma_Instrument2.csv"].iloc[:, 4:].to_numpy())
    assert (ds.samples["weight"] == 378.02).all() and (ds.samples["hardness"] == 20.9).all()


def test_embedded_file_is_plain_csv():
    with gzip.open(ROOT / "data" / "tablets.csv.gz", "rt", encoding="ascii") as file:
        assert file.readline().startswith("tablet,instrument,split,assay,600,602")
