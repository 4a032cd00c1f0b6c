"""A data set that nobody can change by accident, tablets that are the original ones, and a download that may fail."""

import gzip
import hashlib
import http.server
import os
import re
import threading
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics import datasets
from deep_chemometrics.datasets import SpectralDataset, fetch_files, load_tablets

ROOT = Path(__file__).resolve().parent.parent
OUTLIERS = [18, 121, 125, 126, 205, 339, 461, 488, 489, 507, 535, 536, 537]
ORIGINALS = Path(os.environ.get("DC_TESTDATA", "-"), "idrc2002")


def made_up(n=6, p=4):
    """Everything that a data set needs; all parts with an odd index, so that a join by index would show."""
    rng = np.random.default_rng(0)
    odd = np.arange(n)[::-1] * 10
    return dict(
        X=rng.random((n, p)),
        y=pd.DataFrame({"fat": np.arange(n, dtype=float)}, index=odd),
        axis=np.linspace(900, 1000, p),
        samples=pd.DataFrame({"number": np.arange(n), "farm": list("aabbcc"[:n]), "dry": [True, False] * (n // 2)}),
    )


@pytest.fixture
def parts():
    return made_up()


@pytest.fixture
def ds(parts):
    return SpectralDataset(**parts)


# -- Nobody changes it by accident ----------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["X", "y", "axis", "samples", "axis_unit", "name"])
def test_fields_cannot_be_set(ds, field):
    with pytest.raises(FrozenInstanceError):
        setattr(ds, field, getattr(ds, field))


@pytest.mark.parametrize("field", ["X", "axis"])
def test_arrays_cannot_be_written_to(ds, field):
    with pytest.raises(ValueError, match="read-only"):
        getattr(ds, field)[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        getattr(ds[1:3], field)[0] = 1


def test_nothing_is_shared_with_what_was_given(parts):
    given = {name: part.copy() for name, part in parts.items()}
    ds = SpectralDataset(**given)
    given["X"][:] = given["axis"][:] = -1
    given["y"]["fat"] = -1.0
    given["y"]["extra"] = 0
    given["samples"].iloc[0, 0] = -1
    assert np.array_equal(ds.X, parts["X"]) and np.array_equal(ds.axis, parts["axis"])
    assert list(ds.y.columns) == ["fat"] and (ds.y["fat"] >= 0).all() and (ds.samples["number"] >= 0).all()
    assert given["X"].flags.writeable, "what was given stays the caller's own"


def test_nothing_is_shared_with_numpy_tables(parts):
    y = np.arange(6.0)
    ds = SpectralDataset(**parts | {"y": y})
    y[:] = -1
    assert (ds.y[0] == np.arange(6)).all()


def test_nothing_is_shared_with_a_subset(ds):
    part = ds[:3]
    part.y.iloc[0, 0] = part.samples.iloc[0, 0] = -1
    assert ds.y.iloc[0, 0] == 0 and ds.samples.iloc[0, 0] == 0
    ds.y.iloc[1, 0] = -1
    assert part.y.iloc[1, 0] == 1


# -- Choosing rows --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (2, [2]),
        (-1, [5]),
        (np.int64(3), [3]),
        (slice(1, 4), [1, 2, 3]),
        (slice(None, None, -2), [5, 3, 1]),
        ([4, 0, 4], [4, 0, 4]),
        (np.array([True, False, False, True, False, True]), [0, 3, 5]),
        (pd.Series([False, True] * 3, index=list("fedcba")), [1, 3, 5]),
        (range(2), [0, 1]),
    ],
    ids=str,
)
def test_rows_by_number_slice_and_mask(ds, parts, rows, expected):
    part = ds[rows]
    assert isinstance(part, SpectralDataset) and len(part) == len(expected)
    assert np.array_equal(part.X, parts["X"][expected])
    assert list(part.samples["number"]) == list(part.y["fat"]) == expected
    assert list(part.samples.index) == list(part.y.index) == list(range(len(expected)))  # numbered anew
    assert (part.name, part.axis_unit) == (ds.name, ds.axis_unit) and np.array_equal(part.axis, ds.axis)


@pytest.mark.parametrize("rows", [6, -7, [0, 6], [True, False], np.ones(7, dtype=bool), "fat", ("fat", 0)])
def test_rows_out_of_range(ds, rows):
    with pytest.raises(IndexError):
        ds[rows]


def test_no_rows_are_not_a_data_set(ds):
    for rows in ([], slice(6, 9), np.zeros(6, dtype=bool)):
        with pytest.raises(ValueError, match="0 sample"):
            ds[rows]


def test_iteration_ends(ds):
    assert [one.samples["number"][0] for one in ds] == list(range(6))


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (dict(farm="b"), [2, 3]),
        (dict(farm=["a", "c"]), [0, 1, 4, 5]),
        (dict(farm=("c",)), [4, 5]),
        (dict(farm={"a"}), [0, 1]),
        (dict(farm=np.array(["a", "b"])), [0, 1, 2, 3]),
        (dict(farm=pd.Series(["c"])), [4, 5]),
        (dict(number=range(2, 5)), [2, 3, 4]),
        (dict(number=np.int32(2)), [2]),
        (dict(farm="b", dry=True), [2]),
        (dict(), [0, 1, 2, 3, 4, 5]),
    ],
    ids=str,
)
def test_where(ds, conditions, expected):
    assert list(ds.where(**conditions).samples["number"]) == expected


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        (dict(barn="a"), r"no column 'barn' in samples: choose among 'number', 'farm', 'dry'"),
        (dict(farm="z"), r"no sample has farm='z': its values are \['a', 'b', 'c'\]"),
        (dict(farm=["a", "z"]), "no sample has farm='z'"),
        (dict(number="1"), "no sample has number='1'"),
        (dict(farm=None), "no sample has farm=None"),
        (dict(number=pd.Timestamp("2002-11-01")), "no sample has number=Timestamp"),
        (dict(farm=[]), "no sample meets"),
        (dict(farm="a", number=5), "no sample meets all of"),
    ],
    ids=str,
)
def test_where_nothing_is_found(ds, conditions, words):
    with pytest.raises(ValueError, match=words):
        ds.where(**conditions)


# -- Parts that do not fit ------------------------------------------------------------------------------------------


def with_value(X, row, channel, value):
    X = X.copy()
    X[row, channel] = value
    return X


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda p: {"X": p["X"][0]}, "Reshape your data"),
        (lambda p: {"X": p["X"][None]}, "dim 3"),
        (lambda p: {"X": p["X"][:0]}, "0 sample"),
        (lambda p: {"X": p["X"][:, :0]}, r"0 feature"),
        (lambda p: {"X": with_value(p["X"], 3, 2, np.nan)}, "X contains NaN: first at row 3, channel 2"),
        (lambda p: {"X": with_value(p["X"], 3, 2, -np.inf)}, "X contains infinity: first at row 3, channel 2"),
        (lambda p: {"X": [["high"] * 4] * 6}, "could not convert"),
        (lambda p: {"y": p["y"][:5]}, "5 rows but there are 6 spectra"),
        (lambda p: {"y": p["y"].replace(4.0, np.nan)}, "y contains NaN: first at row 4"),
        (lambda p: {"y": None}, r"y has shape \(0, 0\)"),
        (lambda p: {"samples": p["samples"][1:]}, "samples has 5 rows but there are 6 spectra"),
        (lambda p: {"axis": p["axis"][:3]}, r"axis has shape \(3,\), but the spectra have 4 channels"),
        (lambda p: {"axis": p["axis"][::-1]}, "must ascend, but goes from 1000 to 966.667 at channel 1"),
        (lambda p: {"axis": [1, 2, 2, 3]}, "must ascend, but goes from 2 to 2 at channel 2"),
        (lambda p: {"axis": [1, 2, np.nan, 3]}, "axis contains NaN: first at value 2"),
        (lambda p: {"axis": None}, "axis has shape"),
    ],
)
def test_parts_that_do_not_fit(parts, change, words):
    with pytest.raises(ValueError, match=words):
        SpectralDataset(**parts | change(parts))


@pytest.mark.parametrize("X", [np.ones((6, 4), "int32"), np.ones((6, 4), "float32"), pd.DataFrame(np.ones((6, 4)))])
def test_number_types_and_tables(parts, X):
    ds = SpectralDataset(**parts | {"X": X})
    assert isinstance(ds.X, np.ndarray) and ds.X.dtype == (
        "float32" if "float32" in str(X.__array__().dtype) else float
    )


def test_what_it_says_of_itself(ds):
    assert repr(ds).splitlines() == [
        "SpectralDataset 'spectra': 6 spectra x 4 channels (absorbance), wavelength 900 to 1000 nm",
        "  targets: fat; samples: number, farm, dry",
    ]


# -- The tablets ----------------------------------------------------------------------------------------------------


def test_tablets_are_what_the_docs_say():
    ds = load_tablets()
    assert ds.X.shape == (1284, 597) and np.array_equal(ds.axis, np.arange(600, 1793, 2))
    assert list(ds.y.columns) == ["assay"] and list(ds.samples.columns) == ["tablet", "instrument", "split"]
    assert (ds.samples["instrument"] == np.repeat([1, 2], 642)).all()
    one, two = ds.where(instrument=1), ds.where(instrument=2)
    assert one.samples[["tablet", "split"]].equals(two.samples[["tablet", "split"]]) and one.y.equals(two.y)
    assert list(one.samples["tablet"]) == sorted(set(range(655)) - set(OUTLIERS))
    split = np.select([one.samples["tablet"] < 155, one.samples["tablet"] < 195], ["calibrate", "validate"], "test")
    assert (one.samples["split"] == split).all()
    assert dict(one.samples["split"].value_counts()) == {"test": 451, "calibrate": 151, "validate": 40}
    # the same tablet looks alike on both instruments, more than any two tablets do on one
    correlation = np.corrcoef(one.X[:50], two.X[:50])[:50, 50:]
    assert np.median(correlation.diagonal()) > np.median(correlation)


def test_two_loads_share_nothing():
    one, two = load_tablets(), load_tablets()
    one.y.iloc[0, 0] = -1
    assert two.y.iloc[0, 0] > 0 and not np.shares_memory(one.X, two.X)


def test_checksum_in_the_readme_is_the_files():
    said = re.search(r"^\*\*sha256\*\* `([0-9a-f]{64})`$", (ROOT / "data" / "README.md").read_text("utf-8"), re.M)
    assert hashlib.sha256((ROOT / "data" / "tablets.csv.gz").read_bytes()).hexdigest() == said[1]


def test_checksums_of_the_complete_files_are_those_in_the_readme():
    readme = (ROOT / "data" / "README.md").read_text("utf-8")
    assert dict(re.findall(r"^\| (\S+\.csv) \| ([0-9a-f]{64}) \|$", readme, re.M)) == datasets._TABLETS_SHA256


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
        assert (ours.samples["split"].to_numpy() == expected.to_numpy()).all()


@original
def test_complete_tablets_from_files_put_by_hand(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "_TABLETS_URL", "http://127.0.0.1:9/")  # discard: nobody answers
    for name in datasets._TABLETS_SHA256:
        (tmp_path / name).write_bytes((ORIGINALS / name).read_bytes())
    full = load_tablets(complete=True, cache=tmp_path)
    assert full.X.shape == (1310, 650) and full.axis[-1] == 1898
    assert list(full.samples.columns) == ["tablet", "instrument", "split", "weight", "hardness"]
    embedded = load_tablets()
    kept = ~full.samples["tablet"].isin(OUTLIERS)
    assert np.array_equal(full.X[kept, :597], embedded.X)
    assert np.array_equal(full.y["assay"][kept], embedded.y["assay"])
    assert (full.samples["split"][kept].to_numpy() == embedded.samples["split"].to_numpy()).all()


# -- The download ---------------------------------------------------------------------------------------------------


class Server:
    """A web server on this machine: what it serves, what it was asked, and how it fails, is all in the open."""

    def __init__(self):
        self.files, self.asked, self.status, self.cut = {}, [], {}, set()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rpartition("/")[2]
                server.asked.append(name)
                failures = server.status.get(name, [])
                status = failures.pop(0) if failures else 200 if name in server.files else 404
                self.send_response(status)
                body = server.files.get(name, b"") if status == 200 else b"sorry"
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if name in server.cut else body)

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def serve(self, **files: bytes) -> dict[str, str]:
        """Serve these files; their names and checksums come back."""
        self.files |= dict(files.items())
        return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    yield server
    server.stop()


def test_download_once(server, tmp_path):
    sha256 = server.serve(a=b"one" * 1000, b=b"two")
    paths = fetch_files(server.url, sha256, tmp_path / "new" / "cache")
    assert [p.read_bytes() for p in paths] == [b"one" * 1000, b"two"] and [p.name for p in paths] == ["a", "b"]
    assert server.asked == ["a", "b"]
    assert fetch_files(server.url, sha256, tmp_path / "new" / "cache") == paths
    assert server.asked == ["a", "b"], "the second call asks nobody"


def test_address_without_a_slash_at_its_end(server, tmp_path):
    sha256 = server.serve(a=b"one")
    (path,) = fetch_files(server.url + "data", sha256, tmp_path)
    assert path.read_bytes() == b"one"
    with pytest.raises(OSError, match=f"Could not download {server.url}data/b:"):
        fetch_files(server.url + "data", {"b": sha256["a"]}, tmp_path, retries=0)


def test_interrupted_and_resumed(server, tmp_path):
    sha256 = server.serve(a=b"one", b=b"two", c=b"three")
    missing = server.files.pop("b")
    with pytest.raises(OSError, match=f"{server.url}b.*404.*kept: call again"):
        fetch_files(server.url, sha256, tmp_path, retries=0)
    assert (tmp_path / "a").read_bytes() == b"one" and not (tmp_path / "b").exists()
    server.files["b"] = missing
    server.asked.clear()
    assert [p.read_bytes() for p in fetch_files(server.url, sha256, tmp_path)] == [b"one", b"two", b"three"]
    assert server.asked == ["b", "c"], "what had arrived is not asked for again"


def test_broken_off_in_the_middle(server, tmp_path):
    sha256 = server.serve(a=b"one" * 100_000)
    server.cut.add("a")
    with pytest.raises(OSError, match=f"{server.url}a"):
        fetch_files(server.url, sha256, tmp_path, retries=0)
    assert list(tmp_path.iterdir()) == [], "half a file is no file"
    server.cut.clear()
    assert fetch_files(server.url, sha256, tmp_path)[0].stat().st_size == 300_000


def test_wrong_checksum(server, tmp_path):
    sha256 = server.serve(a=b"one")
    server.files["a"] = b"another"
    with pytest.raises(ValueError, match=f"{server.url}a is not the expected file .*{sha256['a']}"):
        fetch_files(server.url, sha256, tmp_path, retries=0)
    assert list(tmp_path.iterdir()) == [], "the wrong file is not kept"


def test_cached_file_that_was_changed_is_replaced(server, tmp_path):
    sha256 = server.serve(a=b"one")
    (tmp_path / "a").write_bytes(b"spoilt")
    assert fetch_files(server.url, sha256, tmp_path)[0].read_bytes() == b"one"


@pytest.mark.parametrize("status", [500, 503, 403])
def test_server_in_trouble(server, tmp_path, status):
    sha256 = server.serve(a=b"one")
    server.status["a"] = [status]
    with pytest.raises(OSError, match=f"{server.url}a: .*{status}"):
        fetch_files(server.url, sha256, tmp_path, retries=0)
    assert list(tmp_path.iterdir()) == []


def test_trouble_that_passes_is_waited_for(server, tmp_path):
    sha256 = server.serve(a=b"one")
    server.status["a"] = [500]
    assert fetch_files(server.url, sha256, tmp_path, retries=1)[0].read_bytes() == b"one"
    assert server.asked == ["a", "a"]


def test_offline_and_then_by_hand(server, tmp_path):
    sha256 = server.serve(a=b"one")
    server.stop()
    with pytest.raises(OSError, match="Without a network, put the file") as caught:
        fetch_files(server.url, sha256, tmp_path, retries=0)
    message = str(caught.value)
    assert f"{server.url}a" in message and sha256["a"] in message
    place = Path(re.search(r"put the file at (.+) by hand", message)[1])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"one")
    assert fetch_files(server.url, sha256, tmp_path) == [place]


def test_complete_tablets_offline_say_what_to_do(server, tmp_path, monkeypatch):
    server.stop()
    monkeypatch.setattr(datasets, "_TABLETS_URL", server.url)
    monkeypatch.setattr(datasets, "fetch_files", lambda *args: fetch_files(*args, retries=0))
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
    frames = {name: original_form(seed) for seed, name in enumerate(datasets._TABLETS_SHA256)}
    sha256 = server.serve(**{name: frame.to_csv(index=False).encode() for name, frame in frames.items()})
    monkeypatch.setattr(datasets, "_TABLETS_URL", server.url)
    monkeypatch.setattr(datasets, "_TABLETS_SHA256", sha256)
    ds = load_tablets(complete=True, cache=tmp_path)
    assert list(ds.samples["tablet"]) == [*range(6), *range(6)] and list(ds.samples["instrument"]) == [1] * 6 + [2] * 6
    assert list(ds.samples["split"][:3]) == ["calibrate", "validate", "test"] and list(ds.axis) == [*range(600, 610, 2)]
    assert list(ds.y["assay"][:2]) == [190.1, 191.1]
    assert np.array_equal(ds.X[6:], frames["Pharma_Instrument2.csv"].iloc[:, 4:].to_numpy())
    assert (ds.samples["weight"] == 378.02).all() and (ds.samples["hardness"] == 20.9).all()


def test_embedded_file_is_plain_csv():
    with gzip.open(ROOT / "data" / "tablets.csv.gz", "rt", encoding="ascii") as file:
        assert file.readline().startswith("tablet,instrument,split,assay,600,602")
