"""The data sets that travel with the library: what the loaders promise, and that the files are the described ones."""

import hashlib
import re
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics import data
from deep_chemometrics.data import load_meat, load_soil, load_tablets

DATA = Path(__file__).resolve().parents[2] / "data"
README = (DATA / "README.md").read_text("utf-8")
FILES = sorted(DATA.glob("*.csv.gz"))


def section(name: str) -> str:
    """What the README says about one file."""
    return re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", README, flags=re.M | re.S)[1]


def column(name: str, file: str) -> list[str]:
    """One column of an embedded file as text."""
    return pd.read_csv(DATA / file, usecols=[name], dtype=str)[name].tolist()


@pytest.fixture(scope="module")
def soil():
    return load_soil()


@pytest.fixture(scope="module")
def meat():
    return load_meat()


# The files and their description


def test_these_are_there():
    assert {"meat.csv.gz", "soil.csv.gz", "tablets.csv.gz"} <= {path.name for path in FILES}


def test_every_file_is_described_with_its_script_its_card_and_its_loader():
    for path in FILES:
        name = path.name.removesuffix(".csv.gz")
        assert (path.parent / f"make_{name}.py").exists() and f"load_{name}" in data.__all__
        assert (path.parent.parent / "nbs" / "datasets" / f"{name}.ipynb").exists()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
class TestFile:
    def test_is_the_described_one(self, path):
        said = re.findall(r"^\*\*sha256\*\* `([0-9a-f]{64})`$", section(path.name), flags=re.M)
        assert said == [hashlib.sha256(path.read_bytes()).hexdigest()]

    def test_is_described_column_by_column(self, path):
        header = pd.read_csv(path, nrows=0).columns
        rows = re.findall(r"^\| ([^|]+) \|", section(path.name), flags=re.M)[1:]
        *about, channels = rows
        assert ", ".join(about).split(", ") == [name for name in header if not name.isdigit()]
        digits = [name for name in header if name.isdigit()]
        assert channels == f"{digits[0]} ... {digits[-1]}"

    def test_names_origin_licence_and_script(self, path):
        text = section(path.name)
        for heading in ("Origin", "Taken from", "How it was made"):
            assert f"**{heading}" in text
        assert "**Licence.**" in text or "**Permission note.**" in text
        script = DATA / f"make_{path.name.removesuffix('.csv.gz')}.py"
        assert script.exists() and f"data/{script.name}" in text

    def test_is_made_the_same_again(self, path):
        """No time and no name in the gzip header: the same content gives the same sha256."""
        header = path.read_bytes()[:10]
        assert header[:4] == b"\x1f\x8b\x08\x00" and header[4:8] == b"\0\0\0\0"


def test_the_computed_library_is_the_described_one():
    text = section("computed_ir.npz")
    said = re.findall(r"^\*\*sha256\*\* `([0-9a-f]{64})`$", text, flags=re.M)
    assert said == [hashlib.sha256((DATA / "computed_ir.npz").read_bytes()).hexdigest()]
    with np.load(DATA / "computed_ir.npz", allow_pickle=False) as file:
        assert re.findall(r"^\| ([^|]+) \|", text, flags=re.M)[1:] == list(file)
    for heading in ("Origin", "How it was made", "Licence."):
        assert f"**{heading}" in text


def test_together_they_are_small():
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 15_000_000


def test_the_wheel_takes_all_of_them():
    setup = (DATA.parent / "setup.py").read_text("utf-8")
    patterns = re.findall(r'"([^"]+)"', re.search(r'"deep_chemometrics\._embedded": \[(.*?)\]', setup)[1])
    for path in [*FILES, DATA / "computed_ir.npz", DATA / "README.md"]:
        assert any(fnmatch(path.name, pattern) for pattern in patterns), f"{path.name} would not be installed"


def test_soil_may_be_passed_on():
    text = section("soil.csv.gz")
    assert "CC BY 4.0" in text and "https://creativecommons.org/licenses/by/4.0/" in text
    assert "10.1371/journal.pone.0296545" in text and "Changes made here" in text  # what attribution asks for


def test_meat_may_be_passed_on():
    """Tecator's condition is that its note is attached: the whole of it."""
    note = " ".join(re.sub(r"^>", "", section("meat.csv.gz"), flags=re.M).split())
    for sentence in (
        "These data are recorded on a Tecator Infratec Food and Feed Analyzer working in the wavelength range "
        "850 - 1050 nm by the Near Infrared Transmission (NIT) principle.",
        "If results from these data are used in a publication we want you to mention the instrument and company name",
        "Karin Thente, Tecator AB, Box 70, S-263 21 Hoganas, Sweden",
        "The data are available in the public domain with no responsability from the original data source.",
        "The data can be redistributed as long as this permission note is attached.",
    ):
        assert sentence in note


@pytest.mark.parametrize("load", [load_soil, load_meat, load_tablets])
def test_a_loaded_set_says_what_it_is(load):
    ds = load()
    assert np.isfinite(ds.X).all() and ds.y.notna().all(axis=None) and ds.samples.notna().all(axis=None)
    assert ds.value_unit == "absorbance" and all(pd.api.types.is_float_dtype(dtype) for dtype in ds.y.dtypes)
    assert load().name == ds.name in load.__name__


@pytest.mark.parametrize(("load", "licence"), [(load_soil, "CC BY 4.0"), (load_meat, "permission note")])
def test_source_and_licence_go_with_the_spectra(load, licence):
    notes = load()[:2].notes
    assert licence in notes["licence"] and notes["source"]
    assert licence in " ".join(load.__doc__.split())


# Soil


def test_soil_has_the_promised_shape(soil):
    assert soil.X.shape == (500, 1701) and soil.X.dtype == np.float64
    assert (soil.axis == np.arange(600, 4001, 2)).all()
    assert (soil.axis_name, soil.axis_unit) == ("wavenumber", "cm-1")
    assert list(soil.y) == ["k", "cec", "oc", "clay"] and list(soil.samples) == ["sample"]
    assert soil.samples["sample"].is_unique and soil.samples["sample"].str.fullmatch("[0-9a-f]{32}").all()


def test_soil_first_and_last(soil):
    assert soil.samples["sample"].iloc[[0, -1]].tolist() == [
        "8c6794919d33d877f5dc5beffe1d47d3",
        "0f2e40b8886147ab974dc0c53374aa5c",
    ]
    assert soil.y.iloc[0].tolist() == [0.33046, 11.80393, 0.2116, 34.3583]
    assert soil.X[0, :6].tolist() == [1.398, 1.3933, 1.3965, 1.4091, 1.4516, 1.4876]
    assert soil.X[-1, 2] == 1.6594


def test_soil_is_what_the_file_says_to_the_last_bit(soil):
    for name in ("600", "2350", "4000"):
        assert soil.X[:, soil.axis == float(name)].ravel().tolist() == [float(v) for v in column(name, "soil.csv.gz")]
    for name in soil.y:
        assert soil.y[name].tolist() == [float(v) for v in column(name, "soil.csv.gz")]


def test_soil_what_the_readme_says_was_found(soil):
    assert (soil.y == 0).sum().to_dict() == {"k": 16, "cec": 0, "oc": 2, "clay": 3}
    assert soil.y.min().min() == 0 and soil.y[["oc", "clay"]].max().max() <= 100
    assert np.flatnonzero((soil.X < 0).any(axis=1)).tolist() == [5, 6, 36, 237, 354]
    assert np.flatnonzero(soil.X.min(axis=1) > 1).tolist() == [66]
    assert not pd.DataFrame(soil.X).duplicated().any() and (soil.y["oc"] > 12).sum() == 15


# Meat


def test_meat_has_the_promised_shape(meat):
    assert meat.X.shape == (215, 100) and meat.X.dtype == np.float64
    assert meat.axis[[0, -1]].tolist() == [850, 1050] and np.ptp(np.diff(meat.axis)) < 1e-9  # rounding of linspace
    assert (meat.axis_name, meat.axis_unit) == ("wavelength", "nm")
    assert list(meat.y) == ["water", "fat", "protein"] and list(meat.samples) == ["sample", "role", "group"]


def test_meat_first_and_last(meat):
    assert meat.X[0, :4].tolist() == [2.61776, 2.61814, 2.61859, 2.61912]
    assert meat.y.iloc[[0, -1]].to_numpy().tolist() == [[60.5, 22.5, 16.7], [41.0, 47.8, 11.6]]
    assert meat.X[-1, :3].tolist() == [2.89064, 2.89244, 2.89438]


def test_meat_is_what_the_file_says_to_the_last_bit(meat):
    for channel in (1, 50, 100):
        assert meat.X[:, channel - 1].tolist() == [float(v) for v in column(str(channel), "meat.csv.gz")]
    for name in meat.y:
        assert meat.y[name].tolist() == [float(v) for v in column(name, "meat.csv.gz")]


def test_meat_is_split_as_the_original_was(meat):
    """In the original's order: 129 for training, 43 for monitoring it, 43 for the test."""
    assert meat.samples["sample"].tolist() == list(range(215))
    assert meat.samples["role"].tolist() == ["train"] * 129 + ["validation"] * 43 + ["test"] * 43
    assert len(meat.where(role=["train", "validation"])) == 172


def test_meat_groups_hold_the_same_meat(meat):
    group = meat.samples["group"].to_numpy()
    assert (group <= np.arange(215)).all() and (group[group] == group).all(), "the first of each names it"
    assert (meat.y.to_numpy() == meat.y.to_numpy()[group]).all(), "the same contents in a group"
    assert not meat.y.iloc[np.unique(group)].duplicated().any(), "other contents in another"


def test_meat_what_the_readme_says_was_found(meat):
    group, copy = meat.samples["group"], pd.DataFrame(meat.X).duplicated()
    assert copy.sum() == 22 and group[copy].isin(group[~copy]).all() and group.nunique() == 178
    is_test = meat.samples["role"] == "test"
    assert group[is_test].isin(group[~is_test]).sum() == 11
    assert [group[i] for i in (130, 173, 6)] == [3, 4, 5]
    assert (meat.y.sum(axis=1) < 95).sum() == 9
