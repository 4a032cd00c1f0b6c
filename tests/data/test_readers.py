"""Files of all kinds come in as they were written; what cannot be right is refused, by name, place and remedy."""

import io
import os
import struct
import sys
import time
import warnings
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import (
    load_tablets,
    read_mat,
    read_numpy,
    read_opus,
    read_spc,
    read_spectra,
    read_table,
    readers,
)
from deep_chemometrics.data.cells import axis_words, reading, value_words

ORIGINALS = Path(os.environ.get("DC_TESTDATA", "-"), "idrc2002")
AXIS = np.array([600.0, 602.5, 605.0, 607.5, 610.0])
X = np.array([[0.1, 0.12, 0.15, 0.14, 0.11], [0.2, 0.22, 0.25, 0.24, 0.21], [1e-7, 0.32, -0.35, 3.4e5, 0.31]])
IDS = ["barley", "oat", "Müller & Sohn"]
WIDE = pd.DataFrame(X, columns=[f"{w:g}" for w in AXIS]).assign(protein=[11.5, np.nan, 9.25])
WIDE.insert(0, "id", IDS)


@pytest.fixture
def write(tmp_path):
    "Write text or bytes to a file and give its path."

    def write(content, name="some.csv", encoding="utf-8"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def saved(function, *args, **named):
    buffer = io.BytesIO()
    function(buffer, *args, **named)
    return buffer.getvalue()


def nm(path, **options):
    return read_table(path, axis_unit="nm", **options)


# -- Tables: what is written comes back -----------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("sep", "decimal"), [(",", "."), (";", ","), (";", "."), ("\t", ","), ("\t", "."), ("|", ".")])
def test_wide_in_every_dialect(write, sep, decimal, end, encoding):
    table = WIDE.rename(columns=lambda name: name.replace(".", decimal))
    path = write(table.to_csv(sep=sep, decimal=decimal, lineterminator=end, index=False), encoding=encoding)
    ds = nm(path, targets=["protein"])
    assert (ds.X == X).all() and (ds.axis == AXIS).all()
    assert ds.samples["id"].tolist() == IDS
    pd.testing.assert_frame_equal(ds.y, WIDE[["protein"]])  # a missing reference value is a missing reference value


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_numbers_come_back_to_the_last_bit(tmp_path, data):
    number = st.floats(-1e30, 1e30, allow_subnormal=False)
    n, p = data.draw(st.integers(1, 4)), data.draw(st.integers(3, 6))
    values = np.array(data.draw(st.lists(number, min_size=n * p, max_size=n * p))).reshape(n, p)
    axis = np.sort(np.array(data.draw(st.lists(st.integers(3, 4000), min_size=p, max_size=p, unique=True))) / 4)
    sep, decimal = data.draw(st.sampled_from([(",", "."), (";", ","), ("\t", ","), (" ", ".")]))
    turned = data.draw(st.booleans())
    table = pd.DataFrame(values, columns=[repr(float(w)).replace(".", decimal) for w in axis])
    table = table.iloc[:, ::-1] if turned else table
    table.insert(0, "id", [f"s{i}" for i in range(n)])
    path = tmp_path / "any.txt"
    path.write_text(table.to_csv(sep=sep, decimal=decimal, index=False))
    # steps of any length, and values like -9999
    ds = nm(path, layout="wide", sep=sep, decimal=decimal, metadata_columns=["id"], missing="keep")
    assert (ds.X == values).all() and (ds.axis == axis).all()


@pytest.mark.parametrize(
    ("form", "unit"),
    [
        ("{:g}", None),
        ("{:g} nm", "nm"),
        ("{:g}nm", "nm"),
        ("X{:g}", None),
        ("wl_{:g}", None),
        ("NIR.{:g}", None),
        ("wn {:g}", "cm-1"),
        ("{:g} cm-1", "cm-1"),
        ("{:g} cm⁻¹", "cm-1"),
        ("{:g} µm", "um"),
        ("{:.3e}", None),
    ],
)
def test_names_of_channels(write, form, unit):
    table = WIDE.drop(columns="protein").set_axis(["id", *(form.format(w) for w in AXIS)], axis=1)
    path = write(table.to_csv(index=False))
    if unit is None:
        with pytest.raises(ValueError, match="does not say what 600 to 610 is: give axis_unit"):
            read_table(path)
    ds = read_table(path, axis_unit=None if unit else "nm")
    assert (ds.axis == AXIS).all() and (ds.X == X).all() and ds.axis_unit == (unit or "nm")
    assert ds.axis_name == ("wavenumber" if unit == "cm-1" else "wavelength")


def test_units_of_file_and_caller(write):
    path = write("id,600 nm,602 nm,604 nm\na,1,2,3")
    assert nm(path).axis_unit == "nm"
    with pytest.raises(
        ValueError, match=r"its axis is in nm, not cm-1: leave out axis_unit, and convert .* to_axis_unit"
    ):
        read_table(path, axis_unit="cm-1")
    with pytest.raises(ValueError, match="its axis is in nm, not cm-1"):
        read_spc(write(spc_file(X, AXIS), "a.spc"), axis_unit="cm-1")
    assert read_table(path, axis_name="lambda").axis_name == "lambda"
    path = write("wavelength,a\n600,1\n602,2\n604,3")
    assert (read_table(path, axis_unit="cm-1").axis_name, nm(path).axis_name) == ("wavenumber", "wavelength")


def test_names_that_are_no_axis(write):
    for names in ("s10,s11,s12", "X1,X2,X3", "PC1,PC2,PC3", "pH7,pH8,pH9"):
        with pytest.raises(ValueError, match=r"no header|neither the header"):
            nm(write(f"id,{names}\na,0.1,0.2,0.4\nb,0.2,0.1,0.2"))
    ds = nm(write("id,mV10,mV12,mV14\na,0.1,0.2,0.4"), prefix="mV")
    assert ds.axis.tolist() == [10, 12, 14]


@pytest.mark.parametrize("name", ["Wavenumber (cm-1)", "cm-1", "Wellenzahl / cm-1", "wavenumbers [1/cm]"])
def test_columns(write, name):
    table = pd.DataFrame(X[:, ::-1].T, columns=IDS)
    table.insert(0, name, AXIS[::-1])
    ds = read_table(write(table.to_csv(index=False, sep="\t")))
    assert (ds.X == X).all() and (ds.axis == AXIS).all() and ds.samples["column"].tolist() == IDS
    assert (ds.axis_name, ds.axis_unit) == ("wavenumber", "cm-1")
    one = read_table(write(table.to_csv(index=False)), columns=["oat"])
    assert (one.X == X[[1]]).all()
    with pytest.raises(ValueError, match="no column 'rye': choose among"):
        read_table(write(table.to_csv(index=False)), columns=["rye"])
    with pytest.raises(ValueError, match="no place for targets"):
        read_table(write(table.to_csv(index=False)), targets=["oat"])


def test_two_columns_without_a_header(write):
    lines = "\n".join(f"{w:e}   {v:e}" for w, v in zip(AXIS, X[0]))
    ds = nm(write(lines, "one.txt"))
    assert np.allclose(ds.X, X[[0]], rtol=1e-6) and (ds.axis == AXIS).all()  # seven digits were written


def test_settings_before_the_table(write):
    settings_ = "***Scan***,,,\nNum:,1,,\nCoefficients:,-13.2,0.11,-0.0003\nPixels:,2448.5,-0.77,-0.0002\n,,,\n"
    body = (
        "Wavelength (nm),Absorbance (AU),Reference (unitless)\n1600.8,1.35,26348\n1604.5,1.34,26202\n1609.4,1.33,2595\n"
    )
    path = write("\ufeff" + settings_ + body)
    with pytest.raises(ValueError, match=r"not of one quantity: say columns=\[...\]"):
        read_table(path)
    ds = read_table(path, columns=["Absorbance (AU)"])
    assert ds.X.tolist() == [[1.35, 1.34, 1.33]] and (ds.axis_unit, ds.value_unit) == ("nm", "absorbance")
    assert nm(write("a,b\n\n" + WIDE.to_csv(index=False))).X.shape == (3, 5)
    assert nm(write("junk 600,601,605\n1,2,3\n" * 3 + WIDE.to_csv(index=False)), skip=6).X.shape == (3, 5)


def test_comments_and_quotes(write):
    text = 'id,600,602,604\n"one, two",1,2,3\n# a remark, with, commas\n"two\nlines",4,5,6\nno #3,7,8,9\nNA,1,1,1\n\n'
    ds = nm(write("# written by hand\n" + text))
    assert ds.samples["id"].tolist() == ["one, two", "two\nlines", "no #3", "NA"]
    assert ds.X[:, 0].tolist() == [1, 4, 7, 1]


def test_empty_columns_at_the_end(write):
    for text in ("id;600;602;604;\na;1;2;3;\n", "id;600;602;604\na;1;2;3;;\n", "id;600;602;604;;\na;1;2;3\n"):
        assert nm(write(text)).X.tolist() == [[1, 2, 3]]


def test_targets(write):
    table = WIDE.assign(kind=["hard", None, "soft"], code=["1", "2", "3"])
    ds = nm(write(table.to_csv(index=False, na_rep="n/a")), targets=["protein", "kind", "code"])
    assert ds.y["protein"].isna().tolist() == [False, True, False] and ds.y["kind"][0] == "hard"
    assert ds.y["code"].tolist() == [1, 2, 3] and ds.samples.columns.tolist() == ["id"]
    with pytest.raises(ValueError, match=r"no column 'fat' for a target: choose among \['id', 'protein'\]"):
        nm(write(WIDE.to_csv(index=False)), targets="fat")


def test_which_way_the_axis_runs(write):
    counted = "\n".join([",600,602,604", *(f"{i},{i}.5,2,3" for i in range(4))])
    assert nm(write(counted)).X.shape == (4, 3), "a column of row numbers is no axis"
    upright = "\n".join(["wavelength,1,2,3", *(f"{w},1,2,3" for w in AXIS)])
    assert nm(write(upright)).X.shape == (3, 5), "the word in the corner decides"
    either = "\n".join([",600,602,604", "10,1,2,3", "12,1,2,3", "14,1,2,3"])
    both = r"layout='rows': 3 channels, 600, 602, 604[\s\S]*layout='columns': 3 channels, 10, 12, 14"
    with pytest.raises(ValueError, match=both):
        nm(write(either))
    assert nm(write(either), layout="wide").axis.tolist() == [600, 602, 604]
    assert nm(write(either), layout="columns").axis.tolist() == [10, 12, 14]
    assert nm(write("600,602,604\n0.3,0.1,0.2\n0.1,0.2,0.1")).X.shape == (2, 3), "no names, only numbers"


def test_long(write):
    table = WIDE.melt(["id", "protein"], var_name="nm", value_name="Absorbance").assign(other=range(15))
    table = table.sample(frac=1, random_state=0).sort_values("id", kind="stable", key=lambda s: s.map(IDS.index))
    named = dict(sample_column="id", axis_column="nm", value_column="Absorbance")
    ds = read_table(write(table.to_csv(index=False)), targets=["protein"], **named)
    assert (ds.X == X).all() and (ds.axis == AXIS).all() and ds.samples.columns.tolist() == ["id"]
    assert (ds.axis_unit, ds.value_unit, ds.y["protein"][2]) == ("nm", "absorbance", 9.25)
    for change, message in (
        (table[1:], "has 4 of 5 channels"),
        (pd.concat([table, table[:1]]), "two values at"),
        (table.assign(Absorbance="much"), "'much', not a number"),
        (table.assign(id=[None, *table["id"][1:]]), "row 0 has no id"),
        (table.assign(protein=range(15)), "target 'protein' changes within a id"),
        (table.rename(columns={"nm": "channel"}), r"no line has the columns"),
    ):
        with pytest.raises(ValueError, match=message):
            read_table(write(change.to_csv(index=False)), targets=["protein"], **named)
    with pytest.raises(ValueError, match="needs sample_column, axis_column and value_column"):
        read_table(write(table.to_csv(index=False)), sample_column="id")


def test_excel(tmp_path):
    path = tmp_path / "two.xlsx"
    with pd.ExcelWriter(path) as book:
        WIDE.to_excel(book, sheet_name="first", index=False)
        WIDE.set_axis(["id", *AXIS, "protein"], axis=1).to_excel(book, sheet_name="second", index=False, startrow=3)
    for sheet in (0, 1, "second"):
        ds = nm(path, sheet=sheet, targets=["protein"])
        assert (ds.X == X).all() and (ds.axis == AXIS).all() and ds.samples["id"].tolist() == IDS
        assert np.isnan(ds.y["protein"][1])
    for sheet in (7, "third"):
        with pytest.raises(ValueError, match=r"two.xlsx: Worksheet"):
            nm(path, sheet=sheet)
    holed = WIDE.astype({"605": object})
    for cell, message in ((None, "row 1, channel 605 is empty"), ("over", "row 1, channel 605 is 'over'")):
        holed.loc[1, "605"] = cell
        holed.to_excel(path, index=False)
        with pytest.raises(ValueError, match=message):
            nm(path)
    pd.DataFrame().to_excel(path)
    with pytest.raises(ValueError, match="is empty"):
        nm(path)
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match=r"two.xlsx"):
        nm(path)


@pytest.mark.skipif(not ORIGINALS.exists(), reason="DC_TESTDATA names no folder with the original files of IDRC 2002")
@pytest.mark.parametrize("instrument", [1, 2])
def test_original_tablets(instrument):
    ds = nm(ORIGINALS / f"Pharma_Instrument{instrument}.csv", targets=["assay"])
    original = load_tablets(complete=True, cache=ORIGINALS).where(instrument=instrument)
    assert (ds.X.round(6) == original.X).all() and (ds.axis == original.axis).all()
    assert np.allclose(ds.y, original.y, atol=0.005)  # load_tablets takes the float32 noise off by rounding to 0.01
    assert ds.samples.columns.tolist() == ["SampleType", "weight", "hardness"]


# -- Tables: what cannot be right is refused ------------------------------------------------------------------------

HEAD = "id,600,602,604\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n \n", "the file is empty"),
        ("# only\n# remarks\n", r"empty but for comments \(#\)"),
        (HEAD, "no header|no spectrum below"),
        (HEAD + "\n\n", "no header|no spectrum below"),
        ("id,fat\na,b\nc,d\n", "no header with the axis"),
        ("id,fat\na,1\nc,2\n", "no header with the axis|neither the header"),
        (HEAD + "a,1,,3\nb,1,2,3\nc,1,,3\n", r"row 0, channel 602 is empty \(2 cells in 2 of 3 rows"),
        (HEAD + "a,1,2,3\nb,1,n/a,3\n", "row 1, channel 602 is empty"),
        (HEAD + "a,1,2,3\nb,1,x2,3\n", "row 1, channel 602 is 'x2', not a number"),
        (HEAD + "a,1,2,3\nb,1,True,3\n", "'True', not a number"),
        (HEAD + "a,1,2,3\nb,1,inf,3\n", "infinity: first at row 1, channel 1"),
        (HEAD + "a,1,2,3\nb,1,2\n", "row 1 has 3 cells, others 4"),
        (HEAD + "a,1,2,3\nb,1,2,3,4\n", "some.csv"),
        (HEAD + "a,1,2,3,4\nb,1,2,3,4\n", "the header has 4 cells, but the rows below it have 5"),
        ("id,600,602,602\na,1,2,3\nb,1,2,3\n", "602 stands twice on the axis"),
        ("id;600,5;602,5;604.5\na;1,1;2,2;3,3\n", r"column '604\.5' has another decimal sign than the 2 channels"),
        ("id,600,604,602\na,1,2,3\nb,1,2,3\n", r"up and down \(604, then 602\)"),
        ("id,0,1,2,3\na,1,2,3,4\nb,1,2,3,4\n", "counts the channels"),
        ("id,-600,602,604\na,1,2,3\nb,1,2,3\n", "a wavelength cannot be negative"),
        ("id,id,600,602,604\na,b,1,2,3\nc,d,1,2,3\n", "two columns are named 'id'"),
        ('id,600,602,604\na,1,2,3\n"b,1,2,3\n', "some.csv"),
        ("id,600,602,604\na,1,\0,3\n", "binary file"),
        (",".join(map(str, range(5, 150_000))) + "\n" + "1," * 149_995 + "\n", "more than a spectrum has channels"),
    ],
)
def test_refused(write, text, message):
    with pytest.raises(ValueError, match=message) as error:
        nm(write(text))
    assert "some.csv" in str(error.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(layout="tall"), "layout='tall' is unknown"),
        (dict(missing="skip"), "missing='skip' is unknown"),
        (dict(encoding="utf-99"), "encoding='utf-99' is unknown"),
        (dict(encoding="ascii"), "this is not ascii text"),
        (dict(skip=-1), "skip=-1 must be"),
        (dict(skip=99), "nothing is left after skip=99"),
        (dict(layout="columns"), "is 'barley', not a number|no header"),
        (dict(decimal=","), r"row 0, channel 600 is '0\.1', not a number"),
    ],
)
def test_options_refused(write, options, message):
    with pytest.raises(ValueError, match=message):
        nm(write(WIDE.to_csv(index=False)), **options)


def test_files_that_are_not_there(tmp_path):
    for reader in (read_table, read_mat, read_numpy, read_opus, read_spc, read_spectra):
        for path in (tmp_path / "none.csv", str(tmp_path / "none.xlsx")):
            with pytest.raises(OSError, match="none"):
                reader(path)
    with pytest.raises(OSError):
        read_table(tmp_path)


def test_missing_values_dropped_when_asked(write):
    path = write(HEAD + "a,1,NaN,3\nb,1,2,3\nc,4,5,6\n")
    with pytest.warns(SpectrumWarning, match="1 of 3 channels dropped: values are missing in row 0"):
        ds = nm(path, missing="drop_channels")
    assert ds.axis.tolist() == [600, 604] and ds.X.tolist() == [[1, 3], [1, 3], [4, 6]]
    with pytest.warns(SpectrumWarning, match="1 of 3 spectra dropped"):
        ds = nm(path, missing="drop_spectra")
    assert ds.samples["id"].tolist() == ["b", "c"] and ds.X.tolist() == [[1, 2, 3], [4, 5, 6]]
    with pytest.raises(ValueError, match="all 1 spectra have missing values"):
        nm(write(HEAD + "a,1,NaN,3\n"), missing="drop_spectra")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(nm(write(HEAD + "a,1,2,3\n"), missing="drop_channels")) == 1


@pytest.mark.parametrize("text", ["," * 2_000_000, "1 " * 2_000_000, "a" * 4_000_000, '"' * 2_000_000, "1\n" * 500_000])
def test_odd_files_end_soon(write, text):
    start = time.perf_counter()
    with pytest.raises(ValueError):
        nm(write(text))
    assert time.perf_counter() - start < 30  # seconds; it takes one or two, and would take hours if it were quadratic


def test_words():
    assert axis_words("Wavelength [um]") == ("wavelength", "um") and axis_words("λ in nm") == ("wavelength", "nm")
    assert axis_words("damn") == (None, None) and axis_words("Raman shift") == ("Raman shift", "cm-1")
    assert value_words("Transmittance") == "transmittance" and value_words("% Reflectance") == "reflectance (%)"
    assert value_words("sample A") is None


def test_one_kind_of_error():
    for raised in (
        KeyError("x"),
        struct.error("x"),
        MemoryError(),
        RecursionError(),
        zipfile.BadZipFile(),
        UnicodeError(),
    ):
        with pytest.raises(ValueError, match=r"a.xyz"), reading("b/a.xyz", "file"):
            raise raised
    for raised in (OSError("x"), FileNotFoundError(2, "no", "a.xyz"), ImportError("a.xyz"), ValueError("x")):
        with pytest.raises(type(raised), match=r"a.xyz"), reading("b/a.xyz", "file"):
            raise raised
    with pytest.raises(KeyboardInterrupt), reading("b/a.xyz", "file"):
        raise KeyboardInterrupt


# -- MATLAB and numpy -----------------------------------------------------------------------------------------------

BOX = {"data": X, "axes": np.array([[[1, 2, 3]], [AXIS]], dtype=object), "who": {"id": np.array(IDS, dtype=object)}}


def hdf5_mat(path, compact=False):
    "What MATLAB 7.3 writes: transposed matrices, letters as numbers, cells as references."
    with h5py.File(path, "w", userblock_size=512) as file:

        def store(name, values, kind="double"):
            node = file.create_dataset(name, data=np.asarray(values).T)
            node.attrs["MATLAB_class"] = np.bytes_(kind)
            return node

        def cell(name, values):
            kind = "char" if isinstance(values[0], str) else "double"
            if kind == "char":
                values = [np.array([[ord(letter) for letter in word]], dtype="u2") for word in values]
            nodes = [store(f"#refs#/{name.replace('/', '_')}{i}", np.atleast_2d(v), kind) for i, v in enumerate(values)]
            node = file.create_dataset(name, data=np.array([[n.ref for n in nodes]], dtype=h5py.ref_dtype))
            node.attrs["MATLAB_class"] = np.bytes_("cell")

        store("X", X)
        store("wv", AXIS[None])
        store("y", np.array([[1.0], [2.0], [3.0]]))
        store("box/data", X)
        cell("box/axes", [np.array([1.0, 2, 3]), AXIS])
        cell("box/who/id", IDS)
        store("empty", np.array([0, 0], dtype="u8")).attrs["MATLAB_empty"] = np.uint8(1)
        file.create_group("sparse").attrs["MATLAB_sparse"] = np.uint64(3)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\x02IM")


@pytest.fixture(params=["5", "5 compressed", "7.3"])
def mat(request, tmp_path):
    path = tmp_path / "some.mat"
    if request.param == "7.3":
        hdf5_mat(path)
        with h5py.File(path, "r+") as file:
            del file["sparse"]
    else:
        content = {"X": X, "wv": AXIS, "y": [[1.0], [2.0], [3.0]], "box": BOX, "empty": np.empty((0, 0))}
        savemat(path, content, do_compression="compressed" in request.param)
    return path


def test_mat(mat):
    ds = read_mat(mat, axis="wv", y={"fat": "y"}, samples="box.who.id", axis_unit="nm")
    assert (ds.X == X).all() and (ds.axis == AXIS).all() and ds.y["fat"].tolist() == [1, 2, 3]
    assert ds.samples["box.who.id"].tolist() == IDS and ds.notes["source"] == "some.mat"
    ds = read_mat(mat, "box.data", axis="box.axes.1", y=["y", "wv"][:1], axis_unit="nm")
    assert (ds.X == X).all() and (ds.axis == AXIS).all() and ds.y.columns.tolist() == ["y"]
    turned = read_mat(mat, axis=[3, 2, 1.5], transpose=True, axis_unit="um", samples="wv")
    assert (turned.X == X[::-1].T).all() and turned.axis.tolist() == [1.5, 2, 3]
    matrix = read_mat(mat, axis="wv", y={"band": "X"}, axis_unit="nm")
    assert matrix.y.columns.tolist() == [f"band {i}" for i in range(1, 6)] and (matrix.y == X).all(axis=None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(X="Y"), r"no variable 'Y'; there are: .*X \(3, 5\).*wv \(5,\)"),
        (dict(X="box.nothing"), r"box.data \(3, 5\)"),
        (dict(X="box.axes.7"), "no variable 'box.axes.7'"),
        (dict(axis="axis"), "Name the axis of the 5 channels.*Variables of 5 values: wv"),
        (dict(axis="y"), "the axis has 3 values, but 'X' 5 channels. There are 3 spectra.*transpose=True"),
        (dict(axis="wv", transpose=True), "transpose=False"),
        (dict(axis=[1, 2, 4, 5]), "the axis has 4 values"),
        (dict(X="box"), "'box' does not hold real numbers"),
        (dict(X="box.who.id"), "'box.who.id' does not hold real numbers"),
        (dict(X="empty"), "spectra must be a matrix"),
        (dict(axis="wv", y="wv"), "y has 5 rows but there are 3 spectra"),
        (dict(axis="wv", y="nothing"), "no variable 'nothing'"),
        (dict(axis="wv", samples=["y", "wv"]), "columns of unequal length"),
        (dict(axis="wv", samples="box.axes"), "must be one or more columns|some.mat"),
        (dict(axis="wv", axis_unit=None), "does not say what 600 to 610 is"),
    ],
)
def test_mat_refused(mat, options, message):
    with pytest.raises(ValueError, match=message) as error:
        read_mat(mat, **(dict(axis_unit="nm") | options))
    assert "some.mat" in str(error.value)


def test_mat_odd(tmp_path):
    path = tmp_path / "some.mat"
    hdf5_mat(path)
    with pytest.raises(ValueError, match="/sparse is a sparse matrix"):
        read_mat(path)
    with h5py.File(path, "w") as file:
        file.create_dataset("X", shape=(10**6, 10**6), dtype="f8", chunks=(100, 100))
    with pytest.raises(ValueError, match="claims 8,000,000,080,200 bytes"):
        read_mat(path)
    savemat(path, {"X": X + 1j, "wv": AXIS})
    with pytest.raises(ValueError, match="real numbers"):
        read_mat(path, axis="wv")
    savemat(path, {"X": X[0], "wv": AXIS, "m": X}, format="4")
    assert (read_mat(path, axis="wv", axis_unit="nm").X == X[[0]]).all(), "one spectrum is a vector"
    savemat(path, {"X": np.where(X > 1, np.nan, X), "wv": AXIS})
    with pytest.raises(ValueError, match=r"some.mat: X contains NaN: first at row 2, channel 3"):
        read_mat(path, axis="wv", axis_unit="nm")


@pytest.mark.parametrize("compressed", [False, True])
def test_mat_that_would_crash_scipy(tmp_path, compressed):
    """With a type that there is not, scipy looks beyond the end of a table, and Python crashes."""
    whole = saved(savemat, {"X": X, "axis": AXIS})
    at = whole.index(struct.pack("<2I", 9, X.nbytes))  # a matrix of doubles
    for kind in (0, 8, 10, 14, 19, 200):
        content = whole[:at] + struct.pack("<2I", kind, X.nbytes) + whole[at + 8 :]
        if compressed:
            packed = zlib.compress(content[128 : at + 8 + X.nbytes])
            content = content[:128] + struct.pack("<2I", 15, len(packed)) + packed
        (tmp_path / "some.mat").write_bytes(content)
        with pytest.raises(ValueError, match=f"some.mat: an element has type {kind} "):
            read_mat(tmp_path / "some.mat", axis_unit="nm")


def test_numpy(tmp_path):
    np.savez_compressed(tmp_path / "some.npz", X=np.asfortranarray(X), axis=AXIS[::-1], id=IDS, fat=[[1, 2]] * 3)
    ds = read_numpy(tmp_path / "some.npz", samples="id", y="fat", axis_unit="nm")
    assert (ds.X == X[:, ::-1]).all() and ds.samples["id"].tolist() == IDS and list(ds.y) == ["fat 1", "fat 2"]
    np.save(tmp_path / "some.npy", X.astype("float32"))
    ds = read_numpy(tmp_path / "some.npy", axis=AXIS, axis_unit="nm")
    assert np.allclose(ds.X, X, rtol=1e-7) and ds.X.dtype == float  # half a last digit of float32
    with pytest.raises(ValueError, match=r"no variable 'axis'; there are: X \(3, 5\). Name the axis"):
        read_numpy(tmp_path / "some.npy", axis_unit="nm")
    whole = (tmp_path / "some.npz").read_bytes()
    for content in (b"", b"nonsense", whole[:-50], whole[:200], b"\x80\x04N."):
        (tmp_path / "some.npz").write_bytes(content)
        with pytest.raises(ValueError, match=r"some.npz"):
            read_numpy(tmp_path / "some.npz", axis_unit="nm")


def test_numpy_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    np.save(tmp_path / "evil.npy", np.array([Evil()]), allow_pickle=True)
    np.savez(tmp_path / "evil.npz", X=np.array([Evil()]), axis=AXIS)
    for name in ("evil.npy", "evil.npz"):
        with pytest.raises(ValueError, match="loading runs code"):
            read_numpy(tmp_path / name, axis_unit="nm")
    assert not (tmp_path / "harm").exists()


# -- Bruker OPUS ----------------------------------------------------------------------------------------------------

ABSORBANCE, SAMPLE, RAMAN = 3 | 3 << 2 | 4 << 10, 3 | 1 << 2 | 1 << 10, 3 | 3 << 2 | 10 << 10
SERIES = ABSORBANCE | 2 << 19


def opus_parameters(**values):
    block = b""
    for name, value in values.items():
        kind, content = {int: (0, "<i"), float: (1, "<d")}.get(type(value), (2, None))
        stored = struct.pack(content, value) if content else value.encode("latin-1") + bytes(2 - len(value) % 2)
        block += name.encode() + b"\0" + struct.pack("<2h", kind, len(stored) // 2) + stored
    return (block + b"END\0" + bytes(4)).ljust(-(-(len(block) + 8) // 4) * 4, b"\0")


def opus_file(blocks, first=610.0, last=600.0, unit="WN", factor=1.0, **more):
    "An OPUS file, byte by byte: where it begins, its directory, and for each spectrum its values and its status."
    parts = [(10 << 4, opus_parameters(SNM="oat", SFM="whole grain", **more))]
    for kind, y in blocks:
        y = np.atleast_2d(y).astype("<f4")
        status = opus_parameters(
            DPF=1, NPT=y.shape[1], FXV=first, LXV=last, CSF=factor, DXU=unit, DAT="21/11/2024", TIM="12:00:00"
        )
        if kind == SERIES:  # a header, then each spectrum with 152 bytes about it
            head = struct.pack("<6i", 0, len(y), 32, 4 * y.shape[1], 152, 1) + struct.pack("<2i", 0, len(y) - 1)
            content = head + b"".join(row.tobytes() + bytes(152) for row in y)
        else:
            content = y.tobytes()
        parts += [(kind, content), (kind | 1 << 4, status)]
    at, directory = 24 + 12 * len(parts), b""
    for kind, content in parts:
        directory += struct.pack("<3i", kind, len(content) // 4, at)
        at += len(content)
    return b"\n\n\xfe\xfe" + struct.pack("<d3i", 9.2e5, 24, 40, len(parts)) + directory + b"".join(c for _, c in parts)


def test_opus(write):
    path = write(opus_file([(ABSORBANCE, X[0]), (SAMPLE, X[1])], factor=2.0), "oat.0")
    ds = read_opus(path)
    assert np.allclose(ds.X, 2 * X[[0], ::-1], rtol=1e-6) and ds.axis.tolist() == AXIS.tolist()  # stored as float32
    assert (ds.axis_name, ds.axis_unit, ds.value_unit) == ("wavenumber", "cm-1", "absorbance")
    assert ds.samples.iloc[0].to_dict() == {"name": "oat", "form": "whole grain", "measured": "21/11/2024 12:00:00"}
    assert ds.notes == {"source": "oat.0", "block": "a"}
    single = read_opus(path, block="sm", value_unit="counts")
    assert np.allclose(single.X, 2 * X[[1], ::-1], rtol=1e-6) and single.value_unit == "counts"
    with pytest.raises(ValueError, match=r"no block 't': say block=... with one of .*'a' \(Absorbance\)"):
        read_opus(path, block="t")
    with pytest.raises(ValueError, match=r"no computed spectrum: say block=.* 'sm'"):
        read_opus(write(opus_file([(SAMPLE, X[1])]), "oat.0"))


def test_opus_axes(write):
    ds = read_opus(write(opus_file([(ABSORBANCE, X[0])], first=2.5, last=1.5, unit="MI"), "oat.1"))
    assert (ds.axis_name, ds.axis_unit) == ("wavelength", "um") and ds.axis.tolist() == [1.5, 1.75, 2, 2.25, 2.5]
    ds = read_opus(write(opus_file([(RAMAN, X[0])], first=-100.0, last=300.0), "oat.1"))
    assert (ds.axis_name, ds.axis_unit) == ("Raman shift", "cm-1") and ds.axis[0] == -100
    time_trace = write(opus_file([(ABSORBANCE, X[0])], unit="MIN"), "oat.1")
    with pytest.raises(ValueError, match=r"not a spectrum on a known axis.*'MIN'"):
        read_opus(time_trace)
    assert read_opus(time_trace, axis_unit="min").axis_unit == "min"


def test_opus_series(write):
    series = read_opus(write(opus_file([(SERIES, X)]), "oat.0"))
    assert np.allclose(series.X, X[:, ::-1], rtol=1e-6) and len(series.samples) == 3


def test_opus_damaged(write):
    whole = opus_file([(ABSORBANCE, X[0])])
    for content in (b"", b"\n\n\xfe\xfe", whole[:40], whole[:100], b"PK" + whole):
        with pytest.raises(ValueError, match=r"oat.0"):
            read_opus(write(content, "oat.0"))
    at = whole.index(b"NPT\0") + 6
    with pytest.raises(ValueError, match="negative size"):
        read_opus(write(whole[:at] + struct.pack("<h", -4) + whole[at + 2 :], "oat.0"))
    series = opus_file([(SERIES, X)])
    at = series.index(struct.pack("<6i", 0, 3, 32, 20, 152, 1))
    with pytest.raises(ValueError, match="impossible sizes"):
        read_opus(write(series[:at] + struct.pack("<6i", 0, 2**31 - 1, 32, 0, 0, 1) + series[at + 24 :], "oat.0"))


# -- SPC ------------------------------------------------------------------------------------------------------------


def spc_file(X, axis, first=0.0, last=0.0, x_code=3, y_code=2, flags=0, exponent=-128, dtype="<f4", labels=b""):
    "An SPC file byte by byte; `axis` is None (even, from first to last), one for all, or one for each."
    each = isinstance(axis, list)
    flags |= (0 if axis is None else 0x80) | (0x40 if each else 0) | (4 if len(X) > 1 else 0)
    head = struct.pack("<3Bb", flags, 0x4B, 0, exponent) + struct.pack("<I2dI", len(X[0]), first, last, len(X))
    head = (head + bytes([x_code, y_code])).ljust(88, b"\0") + b"made up".ljust(130, b"\0") + labels
    parts = [head.ljust(512, b"\0")]
    parts += [] if axis is None or each else [np.asarray(axis, "<f4").tobytes()]
    for i, y in enumerate(X):
        parts.append(struct.pack("<BbH3f2I", 0, exponent, i, 10.0 * i, 0, 0, len(y), 1).ljust(32, b"\0"))
        parts += [np.asarray(axis[i], "<f4").tobytes()] if each else []
        parts.append(np.asarray(y, dtype).tobytes())
    return b"".join(parts)


def test_spc(write):
    for axis in (None, AXIS, [AXIS] * 3):
        ds = read_spc(write(spc_file(X, axis, 600, 610), "oat.spc"))
        assert np.allclose(ds.X, X, rtol=1e-6) and (ds.axis == AXIS).all()  # float32
        assert (ds.axis_name, ds.axis_unit, ds.value_unit) == ("wavelength", "nm", "absorbance")
        assert ds.samples["z"].tolist() == [0, 10, 20] and ds.notes == {"comment": "made up", "source": "oat.spc"}
    ds = read_spc(write(spc_file(X[:1], None, 610, 600, x_code=1), "oat.spc"))
    assert np.allclose(ds.X, X[:1, ::-1], rtol=1e-6) and ds.axis_unit == "cm-1" and not len(ds.samples.columns)


def test_spc_whole_numbers(write):
    ds = read_spc(write(spc_file([[0, 2**30, -(2**31)]], None, 600, 604, exponent=3, dtype="<i4"), "oat.spc"))
    assert ds.X.tolist() == [[0, 2, -4]]  # value = number x 2^exponent / 2^32
    ds = read_spc(write(spc_file([[0, 2**14, -(2**15)]], None, 600, 604, exponent=3, dtype="<i2", flags=1), "oat.spc"))
    assert ds.X.tolist() == [[0, 2, -4]]  # and 2^16


@pytest.mark.parametrize(
    ("x_code", "y_code", "scale", "told"),
    [
        (1, 128, 100, ("wavenumber", "cm-1", "transmittance (%)")),
        (1, 128, 1, ("wavenumber", "cm-1", "transmittance")),
        (2, 129, 100, ("wavelength", "um", "reflectance (%)")),
        (13, 4, 1, ("Raman shift", "cm-1", "counts")),
        (3, 10, 1, ("wavelength", "nm", "absorbance")),
    ],
)
def test_spc_units(write, x_code, y_code, scale, told):
    values = scale * np.array([[0.2, 0.5, 0.9]])
    ds = read_spc(write(spc_file(values, None, 600, 604, x_code, y_code), "oat.spc"))
    assert (ds.axis_name, ds.axis_unit, ds.value_unit) == told


def test_spc_axis_in_words(write):
    ds = read_spc(write(spc_file(X, AXIS, x_code=0, flags=0x20, labels=b"Wavenumber (cm-1)\0(arb)\0"), "oat.spc"))
    assert ds.axis_unit == "cm-1"
    path = write(spc_file(X, AXIS, x_code=4), "oat.spc")
    with pytest.raises(ValueError, match=r"its axis is 'Time \(s\)': give axis_unit"):
        read_spc(path)
    assert read_spc(path, axis_unit="s", axis_name="time").axis_name == "time"


def test_spc_refused(write):
    with pytest.raises(ValueError, match=r"spectrum 1 lies on another axis than spectrum 0 \(1 of 3 do\)"):
        read_spc(write(spc_file(X, [AXIS, AXIS + 1, AXIS]), "oat.spc"))
    whole = spc_file(X, AXIS)
    for content, message in (
        (b"\0\x4d" + whole[2:], "before 1996"),
        (b"", "no SPC file"),
        (b"600,0.1\n" * 100, "no SPC file"),
        (whole[:600], "oat.spc"),
        (whole[:4] + b"\xff" * 4 + whole[8:], "promises 4,294,967,295 points"),
        (whole[:24] + b"\0" * 4 + whole[28:], "oat.spc"),
    ):
        with pytest.raises(ValueError, match=message):
            read_spc(write(content, "oat.spc"))


def test_spc_of_another_writer(tmp_path):
    spc_io = pytest.importorskip("spc_io.high_level", reason="spc-io is not installed")
    for axis in (spc_io.EvenAxis(600, 610, 5), AXIS):
        file = spc_io.SPC(xarray=axis, xtype="XNMETR", ytype="YABSRB")
        for i, y in enumerate(X):
            file.add_subfile(yarray=y, w=0.0, z=float(i))
        (tmp_path / "oat.spc").write_bytes(file.to_spc_raw().to_bytes())
        ds = read_spc(tmp_path / "oat.spc", axis_unit="nm")  # this writer leaves out the codes of the units
        assert np.allclose(ds.X, X, rtol=1e-6) and (ds.axis == AXIS).all()


# -- Folders --------------------------------------------------------------------------------------------------------


@pytest.fixture
def month(write, tmp_path):
    "Files of four formats, two that cannot be read, and what operating systems leave."
    wide = WIDE.to_csv(index=False)
    for name, content in {
        "a10.csv": wide,
        "a2.txt": wide.replace(",", "\t"),
        "B.0": opus_file([(ABSORBANCE, X[0])]),
        "b.spc": spc_file(X, AXIS, x_code=1),
        "broken.csv": wide[:45],
        "note.docx": "x",
        ".DS_Store": "x",
        "~$a.xlsx": "x",
        "Thumbs.db": "x",
        "deeper/c.csv": wide,
        "deeper/.hidden/d.csv": wide,
    }.items():
        write(content, f"month/{name}")
    return tmp_path / "month"


OPTIONS = dict(axis_unit="cm-1", value_unit="absorbance", targets=["protein"], progress=False)


def test_folder(month):
    with pytest.warns(SpectrumWarning, match="2 of 6 files not read: broken.csv: .*; note.docx: no reader for '.docx'"):
        ds = read_spectra(month, **OPTIONS)
    assert ds.samples["file"].tolist() == ["a2.txt"] * 3 + ["a10.csv"] * 3 + ["B.0"] + ["b.spc"] * 3
    assert len(ds) == 10 and ds.samples.columns[0] == "file" and ds.samples["id"][:3].tolist() == IDS
    assert np.allclose(ds.X[:6], np.r_[X, X], rtol=0) and ds.y["protein"].notna().sum() == 4
    unread = ds.notes["unread"]
    assert unread["file"].tolist() == ["broken.csv", "note.docx"] and unread["reason"].str.len().min() > 20
    assert ds.notes["source"] == ds.name == "month"


def test_folder_in_folder(month):
    (month / "broken.csv").unlink()
    (month / "note.docx").unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ds = read_spectra(str(month), recursive=True, **OPTIONS)
    assert ds.samples["file"].tolist()[-3:] == ["deeper/c.csv"] * 3 and len(ds) == 13 and ds.notes["unread"].empty


def test_one_file(month):
    ds = read_spectra(month / "a10.csv", **OPTIONS)
    assert ds.samples["file"].tolist() == ["a10.csv"] * 3 and "unread" not in ds.notes
    with pytest.raises(ValueError, match=r"broken.csv"):
        read_spectra(month / "broken.csv", **OPTIONS)
    with pytest.raises(ValueError, match=r"no reader for '.docx'. Known are .csv"):
        read_spectra(month / "note.docx")


def test_folder_without_a_readable_file(tmp_path, write):
    write("x", "month/.DS_Store")
    with pytest.raises(ValueError, match="none of the 0 files in month"):
        read_spectra(tmp_path / "month")
    for i in range(5):
        write("x", f"month/{i}.docx")
    with pytest.raises(ValueError, match=r"none of the 5 files in month could be read. 0.docx: .*; ...$"):
        read_spectra(tmp_path / "month", progress=False)


def test_files_on_different_axes(tmp_path, write):
    for name, axis in (("a", AXIS), ("b", AXIS), ("c", AXIS[1:])):
        table = pd.DataFrame(X[:, -len(axis) :], columns=axis)
        write(table.to_csv(index=False), f"month/{name}.csv")
    options = dict(axis_unit="nm", layout="wide", progress=False)
    message = r"5 channels, 600 to 610 nm in 2 files \(a.csv, b.csv\); 4 channels, 602.5 to 610 nm in 1 files \(c.csv\)"
    with pytest.raises(ValueError, match=message + ". Give axis="):
        read_spectra(tmp_path / "month", **options)
    ds = read_spectra(tmp_path / "month", axis=[603, 605, 609], **options)
    assert len(ds) == 9 and ds.axis.tolist() == [603, 605, 609] and np.allclose(ds.X[:3], ds.X[6:], rtol=1e-12)
    with pytest.warns(SpectrumWarning, match=r"1 of 3 files not read: .*602\.5"):
        ds = read_spectra(tmp_path / "month", axis=AXIS, **options)  # c.csv does not reach that far
    assert len(ds) == 6
    ds = read_spectra(tmp_path / "month", axis=AXIS, outside="hold", **options)
    assert len(ds) == 9 and (ds.X[6:, 0] == X[:, 1]).all()


def test_files_of_different_units(tmp_path, write):
    write(spc_file(X[:1], AXIS, y_code=2), "month/a.spc")
    write(spc_file(X[:1], AXIS, y_code=4), "month/b.spc")
    with pytest.raises(
        ValueError, match=r"units of the values: absorbance in 1 files \(a.spc\); counts .*to_value_unit"
    ):
        read_spectra(tmp_path / "month", progress=False)
    write(spc_file(X[:1], AXIS, x_code=1), "month/b.spc")
    with pytest.raises(ValueError, match=r"wavelength in nm in 1 files \(a.spc\); wavenumber in cm-1 .*to_axis_unit"):
        read_spectra(tmp_path / "month", axis=AXIS, progress=False)


def test_name_of_the_axis_goes_to_the_reader(tmp_path):
    np.savez(tmp_path / "a.npz", X=X, wl=AXIS)
    assert (read_spectra(tmp_path, axis="wl", axis_unit="nm", progress=False).axis == AXIS).all()


def test_unknown_option(month):
    with pytest.raises(ValueError, match=r"no reader has an option 'axisunit': choose among .*axis_unit"):
        read_spectra(month, axisunit="nm")


def test_interrupted(month, monkeypatch):
    def interrupt(path):
        raise KeyboardInterrupt

    monkeypatch.setitem(readers._READERS, ".docx", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read_spectra(month, **OPTIONS)


@pytest.mark.parametrize(
    ("module", "name", "reader"),
    [("spcfile", "a.spc", read_spc), ("brukeropus.file.block", "a.0", read_opus), ("openpyxl", "a.xlsx", read_table)],
)
def test_missing_extra(write, monkeypatch, module, name, reader):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r'pip install "deep_chemometrics\[readers\]"'):
        reader(write("\n\n\xfe\xfe", f"month/{name}", "latin-1"))
    write(WIDE.to_csv(index=False), "month/b.csv")
    with pytest.warns(SpectrumWarning, match="pip install"):
        assert len(read_spectra(write("x", "month/b.txt").parent, **OPTIONS)) == 3


# -- Whatever the bytes: a data set, ValueError or OSError ----------------------------------------------------------


def survive(reader, path, content, **options):
    "Read these bytes; anything but `ValueError` and `OSError` fails the test."
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = reader(path, **options)
        except (ValueError, OSError):
            return
    assert np.isfinite(ds.X).all() and (np.diff(ds.axis) > 0).all()


SEEDS = {
    "csv": (read_table, WIDE.to_csv(index=False).encode(), dict(axis_unit="nm")),
    "tsv": (read_table, WIDE.to_csv(sep="\t", decimal=",", index=False).encode("utf-16"), dict(axis_unit="nm")),
    "txt": (read_table, "".join(f"{w} {v}\n" for w, v in zip(AXIS, X[0])).encode(), dict(axis_unit="nm")),
    "xlsx": (read_table, saved(WIDE.to_excel, index=False), dict(axis_unit="nm")),
    "mat": (read_mat, saved(savemat, {"X": X, "axis": AXIS, "b": BOX}), dict(axis_unit="nm", samples="b.who.id")),
    "npz": (read_numpy, saved(np.savez, X=X, axis=AXIS, id=IDS), dict(axis_unit="nm", samples="id")),
    "npy": (read_numpy, saved(np.save, X), dict(axis_unit="nm", axis=AXIS)),
    "0": (read_opus, opus_file([(ABSORBANCE, X[0]), (SERIES, X)]), {}),
    "spc": (read_spc, spc_file(X, AXIS), {}),
}


@pytest.mark.parametrize("kind", SEEDS)
def test_seeds_are_read(kind, tmp_path):
    reader, seed, options = SEEDS[kind]
    (tmp_path / f"seed.{kind}").write_bytes(seed)
    assert reader(tmp_path / f"seed.{kind}", **options).X.shape[1] == 5


@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_files(tmp_path, kind, data):
    reader, seed, options = SEEDS[kind]
    content = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(len(content) - 1, 0)))
        change = data.draw(st.sampled_from(["set", "cut", "insert", "remove", "repeat"]))
        piece = data.draw(st.binary(min_size=1, max_size=8))
        if change == "set":
            content[at : at + len(piece)] = piece
        elif change == "cut":
            content = content[:at]
        elif change == "insert":
            content[at:at] = piece
        elif change == "remove":
            del content[at : at + data.draw(st.integers(1, 30))]
        else:
            content[at:at] = content[at : at + 40]
    survive(reader, tmp_path / f"damaged.{kind}", bytes(content), **options)


@pytest.mark.parametrize("kind", SEEDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300))
def test_any_bytes(tmp_path, kind, content):
    reader, seed, options = SEEDS[kind]
    survive(reader, tmp_path / f"any.{kind}", content, **options)
    survive(reader, tmp_path / f"any.{kind}", seed[:8] + content, **options)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.sampled_from(["", "600", "602", "604,5", "0.1", "1e5", "-", "NaN", '"', "id", "nm", "é", "#"])),
        max_size=8,
    ),
    st.sampled_from(",;\t |"),
    st.sampled_from(["auto", "wide", "columns"]),
)
def test_any_table(tmp_path, rows, sep, layout):
    content = "\n".join(sep.join(row) for row in rows).encode()
    survive(read_table, tmp_path / "any.csv", content, layout=layout, axis_unit="nm")
