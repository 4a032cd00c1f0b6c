"""A folder of files and a table of structures: what can be used is used, everything else is listed."""

import warnings

import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import SpectralDataset
from deep_chemometrics.infrared import train_group_model
from deep_chemometrics.infrared.collection import collect_infrared, molecule_key
from deep_chemometrics.infrared.preparation import GROUP_AXIS
from deep_chemometrics.networks.backend import keras

pytest.importorskip("rdkit", reason="rdkit is not installed")
AXIS = np.arange(600.0, 3604, 4)
GOOD = {"67-64-1": "CC(C)=O", "64-17-5": "CCO", "71-43-2": "c1ccccc1"}


def spectrum(position):
    return np.exp(-0.5 * ((AXIS - position) / 15) ** 2) + 0.3 * np.exp(-0.5 * ((AXIS - 2950) / 40) ** 2)


def write(path, cas, position, end="\n##END=\n", n_lines=None, axis=AXIS):
    values = np.round(1000 * np.interp(axis, AXIS, spectrum(position))).astype(int)
    head = [
        *("##TITLE=one", "##JCAMP-DX=4.24", "##DATA TYPE=INFRARED SPECTRUM", "##STATE=gas", "##XUNITS=1/CM"),
        *("##YUNITS=ABSORBANCE", "##XFACTOR=1", "##YFACTOR=0.001", f"##FIRSTX={axis[0]}", f"##LASTX={axis[-1]}"),
        *(f"##NPOINTS={len(axis)}", "##XYDATA=(X++(Y..Y))"),
    ]
    if cas:
        head.insert(3, f"##CAS REGISTRY NO={cas}")
    lines = [f"{x:.0f} {y}" for x, y in zip(axis, values)][:n_lines]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(head + lines) + end)


def collect(*args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        return collect_infrared(*args, **kwargs)


def test_good_files_are_used_and_others_are_listed(tmp_path):
    write(tmp_path / "a.jdx", "67-64-1", 1740)
    write(tmp_path / "inner" / "64-17-5-IR.DX", "", 1050)  # the number is in the name of the file
    write(tmp_path / "cut.jdx", "71-43-2", 700, n_lines=100)
    write(tmp_path / "unknown.jdx", "75-05-8", 2250)
    write(tmp_path / "nameless.jdx", "", 1000)
    write(tmp_path / "short.jdx", "71-43-2", 1500, axis=AXIS[100:400])
    (tmp_path / "garbage.jdx").write_bytes(bytes(range(256)) * 10)
    (tmp_path / "empty.jdx").write_text("")
    (tmp_path / "notes.txt").write_text("no spectrum")
    ds, left_out = collect(tmp_path, GOOD)
    assert ds.samples["smiles"].tolist() == ["CC(C)=O", "CCO"] and ds.X.shape == (2, 850)
    assert ds.samples["cas"].tolist() == ["67-64-1", "64-17-5"] and ds.samples["state"].tolist() == ["gas", "gas"]
    reasons = dict(left_out.to_numpy().tolist())
    assert set(reasons) == {f"{n}.jdx" for n in ("cut", "unknown", "nameless", "short", "garbage", "empty")}
    assert "the table has 100 points" in reasons["cut.jdx"] and "no structure" in reasons["unknown.jdx"]
    assert "no CAS registry number" in reasons["nameless.jdx"] and "700 to 3200" in reasons["short.jdx"]


def test_a_warning_counts_what_is_left_out(tmp_path):
    write(tmp_path / "a.jdx", "67-64-1", 1740)
    write(tmp_path / "b.jdx", "1-1-1", 1740)
    with pytest.warns(SpectrumWarning, match="^1 left out, 1 spectra used"):
        collect_infrared(tmp_path, GOOD)


def test_contradicting_structures_are_not_used(tmp_path):
    write(tmp_path / "a.jdx", "67-64-1", 1740)
    write(tmp_path / "b.jdx", "64-17-5", 1050)
    rows = [("67-64-1", "CC(C)=O"), ("67641", "CC(=O)C"), ("64-17-5", "CCO"), ("64-17-5", "COC"), ("71-43-2", "c1cc")]
    ds, left_out = collect(tmp_path, pd.DataFrame(rows, columns=["CAS", "SMILES"]))
    assert ds.samples["smiles"].tolist() == ["CC(C)=O"], "two spellings are one structure"
    reasons = left_out.set_index("what")["problem"]
    assert "two structures" in reasons["64-17-5"] and "no SMILES" in reasons["71-43-2"]
    assert "no structure" in reasons["b.jdx"]


def test_a_table_may_be_a_file(tmp_path):
    write(tmp_path / "a.jdx", "67-64-1", 1740)
    for separator in ",;\t":
        table = pd.DataFrame({"name": ["x", "y"], "cas": [*GOOD][:2], "smiles": [*GOOD.values()][:2]})
        table.to_csv(tmp_path / "table.csv", sep=separator, index=False)
        assert collect(tmp_path, tmp_path / "table.csv")[0].samples["smiles"].tolist() == ["CC(C)=O"]


def test_rows_of_a_data_set():
    X = np.array([spectrum(p) for p in (1740, 1050, 1100, 1200, 1200)] + [np.zeros(len(AXIS))])
    smiles = ["CC(C)=O", "wrong(", "CCO", "CCCO", "CCN", "C"]
    samples = {"smiles": smiles, "cas": ["67-64-1", "", "", "", "", ""]}
    ds = SpectralDataset(X, axis=AXIS, axis_name="wavenumber", axis_unit="cm-1", samples=samples)
    used, left_out = collect(ds, unit="absorbance")
    assert used.samples["smiles"].tolist() == ["CC(C)=O", "CCO"] and np.array_equal(used.axis, GROUP_AXIS)
    reasons = left_out.set_index("what")["problem"]
    assert "no SMILES" in reasons["row 1"] and "without any band" in reasons["row 5"]
    assert "the same spectrum" in reasons["row 3"] and "the same spectrum" in reasons["row 4"]


def test_one_number_with_two_structures_in_a_data_set():
    X = np.array([spectrum(p) for p in (1740, 1050, 1100)])
    samples = {"smiles": ["CCO", "COC", "CCC"], "cas": ["64-17-5", "64175", "74-98-6"]}
    ds = SpectralDataset(X, axis=AXIS, axis_name="wavenumber", axis_unit="cm-1", samples=samples)
    assert collect(ds, unit="absorbance")[0].samples["smiles"].tolist() == ["CCC"]


def test_what_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no folder"):
        collect_infrared(tmp_path / "nowhere", GOOD)
    with pytest.raises(ValueError, match="no JCAMP-DX file"):
        collect_infrared(tmp_path, GOOD)
    write(tmp_path / "a.jdx", "71-43-2", 1740)
    with pytest.raises(ValueError, match="structures tells which molecule"):
        collect_infrared(tmp_path)
    with pytest.raises(ValueError, match="no column smiles"):
        collect_infrared(tmp_path, pd.DataFrame({"cas": ["71-43-2"], "name": ["benzene"]}))
    with pytest.raises(ValueError, match=r"no spectrum can be used\. a\.jdx: no structure"):
        collect_infrared(tmp_path, {"64-17-5": "CCO"})


def test_keys_do_not_depend_on_the_spelling():
    assert molecule_key("C[C@H](O)F") == molecule_key("OC(C)F") != molecule_key("OC(C)Cl")
    with pytest.raises(ValueError, match="no molecule"):
        molecule_key("C1CC")


def test_a_folder_with_structures_trains_a_model(tmp_path):
    def dense(n_channels, n_targets, seed):
        return keras.Sequential([keras.Input((n_channels,)), keras.layers.Dense(n_targets)])

    for i, cas in enumerate(GOOD):
        write(tmp_path / f"{i}.jdx", cas, 1000 + 300 * i)
    write(tmp_path / "unknown.jdx", "75-05-8", 2250)
    settings = dict(n_members=1, epochs=1, copies=1, validation_fraction=0)
    with pytest.warns(SpectrumWarning, match="1 left out, 3 spectra used"):
        model = train_group_model(tmp_path, dense, structures=GOOD, **settings)
    assert model.card["left out"] == ["unknown.jdx: no structure for the number 75-05-8"]
    with pytest.raises(ValueError, match="no folder"):
        train_group_model(tmp_path / "nowhere", dense, structures=GOOD, **settings)
