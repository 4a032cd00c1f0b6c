"""Public calibration sets: the values of their files, and clear errors where a download or a name is wrong."""

import builtins
import json
import os
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.data import fetch_dataset, fetched, list_datasets
from deep_chemometrics.data.download import fetch_files
from deep_chemometrics.storage import embedded_file

OUTSIDE = Path(os.environ.get("DC_TESTDATA", "-"), "calibration_sets")
needs_files = pytest.mark.skipif(not OUTSIDE.is_dir(), reason="DC_TESTDATA does not name the published files")
ENTRIES = json.loads(embedded_file("fetched_sets.json").read_text("utf-8"))


@needs_files
@pytest.mark.parametrize("name", ENTRIES)
def test_equals_the_published_values(name):
    ds = fetch_dataset(name)
    entry = ENTRIES[name]
    assert ds.X.shape == (entry["n_spectra"], entry["n_channels"])
    assert list(ds.y) == list(entry["targets"])
    assert set(entry["samples"]) <= set(ds.samples)
    with np.load(OUTSIDE / f"{name}.npz") as stored:
        order = np.argsort(stored["axis"])
        assert np.array_equal(ds.X.astype(np.float32), stored["X"][:, order])
        np.testing.assert_allclose(ds.axis, stored["axis"][order], rtol=1e-12)
        assert list(ds.y) == stored["targets"].tolist()
        for target in ds.y:
            expected = stored[f"y_{target}"].astype(np.float32)
            assert np.array_equal(ds.y[target].to_numpy(np.float32), expected, equal_nan=True)
        for column in {"group", "split"} & set(stored.files):
            assert ds.samples[column].astype(str).tolist() == stored[column].astype(str).tolist()


def test_list_tells_what_every_set_is():
    listed = list_datasets()
    assert len(listed) == len(ENTRIES) >= 22
    for entry in ENTRIES.values():
        assert entry["reader"] in fetched._READERS
        assert isinstance(entry["open_licence"], bool)
        assert all(len(file["sha256"]) == 64 and file["url"].startswith("https://") for file in entry["files"])


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("Cookie", "Did you mean 'cookie'"),
        ("soil_oz", "'soil_oz100'"),
        ("xyz", "There are: coal_tic, cookie"),
        (7, "There are"),
    ],
)
def test_unknown_name(wrong, hint):
    with pytest.raises(ValueError, match=f"no data set {wrong!r}.*{hint}.*list_datasets"):
        fetch_dataset(wrong)


# -- Made-up sets of every format, on a server on this machine ------------------------------------------------------


@pytest.fixture
def publish(server, monkeypatch, tmp_path):
    """Enter a set whose files are on the local server."""
    monkeypatch.delenv("DC_TESTDATA", raising=False)
    monkeypatch.setattr(fetched, "_announced", set())
    monkeypatch.setattr(fetched, "fetch_files", partial(fetch_files, retries=0))
    entries = {}
    monkeypatch.setattr(fetched, "_entries", lambda: entries)

    def enter(reader: str, options: dict, files: dict[str, bytes], targets=("a",)) -> dict:
        digests = server.serve(**files)
        address = f"{server.url}owner/repository/commit/data/"
        entry = dict(ENTRIES["cookie"]) | {"reader": reader, "options": options}
        entry["targets"] = dict.fromkeys(targets, "%")
        entry["files"] = [{"url": address + n, "sha256": d, "bytes": len(files[n])} for n, d in digests.items()]
        entries["made_up"] = entry
        return entry

    return enter


CSV = b"a,900nm,902nm,904nm\n1.5,0.1,0.2,0.3\n2.5,0.4,0.5,0.6\n"
CSV_OPTIONS = {"y": {"a": "a"}, "first": 1}


def test_csv_is_downloaded_once_and_its_licence_printed_once(publish, server, tmp_path, capsys):
    publish("csv", CSV_OPTIONS, {"one.csv": CSV})
    ds = fetch_dataset("made_up", tmp_path)
    assert ds.axis.tolist() == [900, 902, 904]
    assert ds.y["a"].tolist() == [1.5, 2.5]
    assert ds.X.tolist() == [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
    assert ds.notes["licence"] == ENTRIES["cookie"]["licence"]
    fetch_dataset("made_up", tmp_path)
    assert server.requests == ["one.csv"]
    assert capsys.readouterr().out.count("Please cite: Osborne") == 1


def test_falling_axis_is_turned(publish, tmp_path):
    content = b"6000;5000;4000\n1;2;3\n"
    files = {}
    for part in ("train", "test"):
        files |= {f"X{part}": content, f"Y{part}": b"Prot\n10\n", f"M{part}": b"Sample_ID;Spectro\nB1;x\n"}
    publish("n4", {}, files)
    ds = fetch_dataset("made_up", tmp_path)
    assert ds.axis.tolist() == [4000, 5000, 6000]
    assert ds.X.tolist() == [[3, 2, 1]] * 2
    assert ds.samples["split"].tolist() == ["train", "test"]


def test_sugarcane_is_joined_by_sample(publish, tmp_path):
    spectra = b"  ;450;453;\n101   ;0.1 ;0.2 ;\n100   ;0.3 ;0.4 ;\n"
    references = b"Sample;TS\n100;4.5\n101;\n"
    publish("sugarcane", {}, {"spectra": spectra, "references": references}, ("TS",))
    ds = fetch_dataset("made_up", tmp_path)
    assert ds.samples["group"].tolist() == ["101", "100"]
    assert ds.y["TS"].isna().tolist() == [True, False]
    assert ds.X.tolist() == [[0.1, 0.2], [0.3, 0.4]]


def test_excel(publish, tmp_path):
    files = {}
    for part, sample in (("cal", 1), ("val", 2)):
        spectra = pd.DataFrame({"sampleName": [sample], "deviceId": ["d"], 4000.5: [0.1], 4001.5: [0.2]})
        properties = pd.DataFrame({"sampleName": [sample], "ref": [0], "OM": [3.0], "OC": [2.0]})
        for kind, table in (("spectra", spectra), ("properties", properties)):
            table.to_excel(tmp_path / "table.xlsx", index=False)
            files[f"{kind}-{part}.xlsx"] = (tmp_path / "table.xlsx").read_bytes()
    publish("spain", {}, files, ("OM", "OC"))
    ds = fetch_dataset("made_up", tmp_path)
    assert ds.axis.tolist() == [4000.5, 4001.5]
    assert ds.samples["split"].tolist() == ["cal", "val"]


def test_matlab(publish, tmp_path):
    from scipy.io import savemat

    variables = {"A_X": [[1.0, 2], [3, 4]], "A_Y": [[5.0], [6]], "B_X": [[7.0, 8]], "B_Y": [[9.0]]}
    savemat(tmp_path / "file.mat", {name: np.array(value) for name, value in variables.items()})
    options = {"parts": {"cal": "A", "val": "B"}, "target": "a", "axis": [850, 2, 2]}
    publish("mat", options, {"file.mat": (tmp_path / "file.mat").read_bytes()})
    ds = fetch_dataset("made_up", tmp_path)
    assert ds.X.tolist() == [[1, 2], [3, 4], [7, 8]]
    assert ds.y["a"].tolist() == [5, 6, 9]
    assert ds.samples["split"].tolist() == ["cal", "cal", "val"]


def r_file(path: Path) -> bytes:
    rdata = pytest.importorskip("rdata")
    frame = pd.DataFrame({"a": [1.0, 2.0], "X900": [0.1, 0.2], "X902": [0.3, 0.4]})
    rdata.write_rda(path, {"soil": frame})
    return path.read_bytes()


def test_r_data(publish, tmp_path):
    content = r_file(tmp_path / "soil.rda")
    publish("r", {"X": "soil", "channels": "X", "y": {"a": "soil.a"}}, {"soil.rda": content})
    ds = fetch_dataset("made_up", tmp_path)
    assert ds.axis.tolist() == [900, 902]
    assert ds.X.tolist() == [[0.1, 0.3], [0.2, 0.4]]
    assert ds.y["a"].tolist() == [1, 2]


def test_missing_reader_is_named(publish, tmp_path, monkeypatch):
    content = r_file(tmp_path / "soil.rda")
    publish("r", {"X": "soil", "channels": "X", "y": {"a": "soil.a"}}, {"soil.rda": content})
    imported = builtins.__import__

    def without_rdata(name, *args, **kwargs):
        if name.startswith("rdata"):
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_rdata)
    with pytest.raises(ImportError, match=r"R data files need rdata: pip install .*readers"):
        fetch_dataset("made_up", tmp_path)


def test_damaged_file_is_named(publish, tmp_path):
    publish("r", {"X": "soil", "y": {"a": "soil.a"}}, {"soil.rda": b"no R data"})
    with pytest.raises(ValueError, match=r"soil\.rda"):
        fetch_dataset("made_up", tmp_path)


def test_moved_address(publish, server, tmp_path):
    publish("csv", CSV_OPTIONS, {"one.csv": CSV})
    server.files.clear()
    with pytest.raises(OSError, match=r"made_up: .*one.csv.*404.*by hand.*moved.*Osborne"):
        fetch_dataset("made_up", tmp_path)


def test_without_a_network(publish, tmp_path):
    entry = publish("csv", CSV_OPTIONS, {"one.csv": CSV})
    entry["files"][0]["url"] = "http://127.0.0.1:9/owner/repository/commit/one.csv"
    with pytest.raises(OSError, match=r"made_up: Could not download .*by hand"):
        fetch_dataset("made_up", tmp_path)
    folder = tmp_path / "made_up"
    folder.mkdir(exist_ok=True)
    (folder / "one.csv").write_bytes(CSV)  # as the message says
    assert len(fetch_dataset("made_up", tmp_path)) == 2


def test_changed_file_is_refused(publish, server, tmp_path):
    publish("csv", CSV_OPTIONS, {"one.csv": CSV})
    server.files["one.csv"] = CSV.replace(b"0.1", b"0.9")
    with pytest.raises(ValueError, match=r"one\.csv is not the expected file"):
        fetch_dataset("made_up", tmp_path)


def test_outside_data_come_first_and_are_verified(publish, server, tmp_path, monkeypatch):
    publish("csv", CSV_OPTIONS, {"one.csv": CSV})
    raw = tmp_path / "outside" / "calibration_sets" / "raw"
    raw.mkdir(parents=True)
    monkeypatch.setenv("DC_TESTDATA", str(tmp_path / "outside"))
    file = raw / "owner+repository+data+one.csv"
    file.write_bytes(CSV)
    assert len(fetch_dataset("made_up", tmp_path / "cache")) == 2
    assert server.requests == []
    file.write_bytes(CSV + b"3,4,5,6\n")
    with pytest.raises(ValueError, match="not the expected file: its sha256 is"):
        fetch_dataset("made_up", tmp_path / "cache")
    file.unlink()
    assert len(fetch_dataset("made_up", tmp_path / "cache")) == 2
    assert server.requests == ["one.csv"]
