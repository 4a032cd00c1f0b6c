"""A data set that cannot be changed by accident: rows, tables, units, and what is refused."""

import base64
import copy
import html
import io
import os
import pickle
import re
import warnings
from dataclasses import FrozenInstanceError, asdict, replace
from pathlib import Path

import joblib
import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import SpectralDataset, units

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.fixture(autouse=True)
def nothing_warns():
    """Not even pandas of a dtype that it will treat in another way some day."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # what libraries say to each other
        yield


@pytest.fixture
def parts():
    return made_up()


@pytest.fixture
def ds(parts):
    return SpectralDataset(**parts)


# -- It cannot be changed by accident ------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["X", "y", "axis", "samples", "axis_unit", "name", "notes"])
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


def test_nothing_is_shared_with_what_is_handed_out(ds):
    y, samples, notes = ds.y, ds.samples, ds.notes
    y["fat"], y["extra"], samples.iloc[:, 0], notes["source"] = -1.0, 0, -1, "changed"
    assert list(ds.y.columns) == ["fat"] and (ds.y["fat"] >= 0).all()
    assert (ds.samples["number"] >= 0).all() and ds.notes == {}
    whole, part = ds[:], ds[:3]
    assert whole.y.equals(ds.y) and part.samples.equals(ds.samples[:3])
    assert not np.shares_memory(whole.X, ds.X) and not np.shares_memory(part.axis, ds.axis)


def test_notes_are_copied_to_the_bottom(parts):
    notes = {"source": "a mill", "unread": ["page 7"]}
    ds = SpectralDataset(**parts, notes=notes)
    notes["unread"].append("page 8")
    ds.notes["unread"].append("page 9")
    part = ds[:2]
    part.notes["unread"].clear()
    assert ds.notes == part.notes == {"source": "a mill", "unread": ["page 7"]}


COPIES = {
    "pickle": lambda ds: pickle.loads(pickle.dumps(ds)),
    "old pickle": lambda ds: pickle.loads(pickle.dumps(ds, protocol=2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "replace": replace,
    "asdict": lambda ds: SpectralDataset(**asdict(ds)),
}


def same(one, other):
    """All fields equal, tables with their dtypes and names (the names' own dtype is pandas' business)."""
    assert type(one) is type(other) and np.array_equal(one.X, other.X) and np.array_equal(one.axis, other.axis)
    assert one.X.dtype == other.X.dtype
    pd.testing.assert_frame_equal(one.y, other.y, check_column_type=False)
    pd.testing.assert_frame_equal(one.samples, other.samples, check_column_type=False)
    for field in ("axis_name", "axis_unit", "value_unit", "name", "notes"):
        assert getattr(one, field) == getattr(other, field)
    return True


def different(dtype="float64"):
    """No field as by default, and a reference value missing."""
    return SpectralDataset(
        np.random.default_rng(0).random((3, 4)).astype(dtype),
        y={"fat": [1.0, np.nan, 3.0], "kind": pd.Categorical(["lean", "fat", "lean"]), "fresh": [True, False, True]},
        axis=[400, 500.5, 600, 1e4 / 3],
        samples={"number": [1, 2, 3], "day": pd.to_datetime(["2002-11-01"] * 3)},
        axis_name="wavenumber",
        axis_unit="cm-1",
        value_unit="reflectance (%)",
        name="meat",
        notes={"unread": ["page 7"]},
    )


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("make_copy", COPIES.values(), ids=COPIES)
def test_copies_are_equal_and_read_only(make_copy, dtype):
    ds = different(dtype)
    again = make_copy(ds)
    assert again is not ds and same(again, ds)
    assert not again.X.flags.writeable and not again.axis.flags.writeable
    assert not np.shares_memory(again.X, ds.X)


@pytest.mark.parametrize("compress", [0, 3])
def test_joblib_there_and_back(tmp_path, compress):
    joblib.dump(different(), tmp_path / "ds.joblib", compress=compress)
    again = joblib.load(tmp_path / "ds.joblib")
    assert same(again, different()) and not again.X.flags.writeable


def test_replace_checks_again(ds):
    assert replace(ds, name="other").name == "other" and replace(ds, y=None).y.shape == (6, 0)
    with pytest.raises(ValueError, match="y has 2 rows but there are 6 spectra"):
        replace(ds, y=[1, 2])


# -- Reference values: what may be missing, and what may be words -----------------------------------------------------


def test_tables_are_optional(parts):
    ds = SpectralDataset(parts["X"], axis=parts["axis"])
    assert ds.y.shape == ds.samples.shape == (6, 0) and ds.notes == {} and len(ds[2:4].y) == 2
    assert repr(ds).endswith("targets: none; samples: none")
    assert same(SpectralDataset.from_frame(ds.to_frame()), ds)


@pytest.mark.parametrize(
    "fat",
    [
        [1.0, np.nan, 3, 4, None, 6],
        pd.array([1, None, 3, 4, None, 6], dtype="Int64"),
        pd.array([1, None, 3, 4, None, 6], dtype="Float64"),
        np.array([1, np.nan, 3, 4, np.nan, 6], "float32"),
        ["low", None, "high", "low", np.nan, "low"],
        pd.Categorical(["low", None, "high", "low", np.nan, "low"]),
        [1.0, None, "below detection", 4, None, 6],
        pd.array([True, None, False, True, None, True], dtype="boolean"),
        pd.to_datetime(["2002-11-01", None, "2002-11-02", "2002-11-03", None, "2002-11-01"]),
    ],
    ids=lambda values: str(getattr(values, "dtype", "list")),
)
def test_reference_values_may_be_missing(parts, fat):
    ds = SpectralDataset(**parts | {"y": {"fat": fat}})
    assert ds.y["fat"].isna().tolist() == [False, True, False, False, True, False]
    assert "targets: fat (2 values missing)" in repr(ds)
    known = ds[~ds.y["fat"].isna()]
    assert len(known) == 4 and "missing" not in repr(known)
    assert ds.y["fat"].dtype == pd.DataFrame({"fat": fat})["fat"].dtype, "as it was given"


@pytest.mark.parametrize(
    "fat",
    [
        [1.0, 2, np.inf, 4, 5, 6],
        [1.0, 2, -np.inf, None, 5, 6],
        np.array([1, 2, np.inf, 4, 5, 6], "float32"),
        pd.array([1, None, np.inf, 4, 5, 6], dtype="Float64"),
        [1.0, "below detection", np.inf, 4, 5, 6],
        pd.Categorical([1.0, 2, np.inf, 1, 1, 1]),
    ],
    ids=lambda values: str(getattr(values, "dtype", "list")),
)
def test_reference_values_may_not_be_infinite(parts, fat):
    with pytest.raises(ValueError, match=r"y\['fat'\] contains infinity: first at value 2"):
        SpectralDataset(**parts | {"y": {"fat": fat}})


def test_complex_reference_values_are_refused(parts):
    with pytest.raises(ValueError, match=r"y\['fat'\] is complex"):
        SpectralDataset(**parts | {"y": {"fat": np.ones(6) * 1j}})


def test_classes_keep_their_kind(parts):
    y = {"kind": pd.Categorical(list("aabbcc")), "name": list("aabbcc"), "dry": [True, False] * 3}
    ds = SpectralDataset(**parts | {"y": y})[[5, 0]]
    assert isinstance(ds.y["kind"].dtype, pd.CategoricalDtype) and ds.y["dry"].dtype == bool
    assert ds.y["kind"].tolist() == ds.y["name"].tolist() == ["c", "a"] and ds.y["dry"].tolist() == [False, True]


@pytest.mark.parametrize(
    ("y", "columns"),
    [
        (np.arange(6), [0]),
        (np.ones((6, 2)), [0, 1]),
        (pd.Series(range(6), name="fat", index=list("fedcba")), ["fat"]),
        ({"fat": range(6), "water": range(6)}, ["fat", "water"]),
        ([[1, "a"]] * 6, [0, 1]),
    ],
    ids=str,
)
def test_tables_of_many_kinds(parts, y, columns):
    ds = SpectralDataset(**parts | {"y": y, "samples": y})
    assert list(ds.y.columns) == list(ds.samples.columns) == columns and list(ds.y.index) == list(range(6))


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
        (lambda p: {"y": p["y"].replace(4.0, np.inf)}, r"y\['fat'\] contains infinity: first at value 4"),
        (lambda p: {"y": [1]}, "y has 1 rows but there are 6 spectra"),
        (lambda p: {"y": 3.0}, "y is no table of one row a spectrum"),
        (lambda p: {"y": {"fat": 3.0}}, "y is no table of one row a spectrum"),
        (lambda p: {"samples": "mill"}, "samples is no table of one row a spectrum"),
        (lambda p: {"y": pd.concat([p["y"], p["y"]], axis=1)}, "y has two columns named 'fat'"),
        (lambda p: {"y": np.ones((6, 1, 1))}, "y is no table of one row a spectrum: Must pass 2-d input"),
        (lambda p: {"samples": pd.concat([p["samples"]] * 2, axis=1)}, "samples has two columns named 'number'"),
        (lambda p: {"notes": "from a mill"}, "notes must be a dictionary, not str"),
        (lambda p: {"notes": [1, 2]}, "notes must be a dictionary, not list"),
        (lambda p: {"samples": p["samples"][1:]}, "samples has 5 rows but there are 6 spectra"),
        (lambda p: {"axis": p["axis"][:3]}, r"axis has shape \(3,\), but the spectra have 4 channels"),
        (lambda p: {"axis": p["axis"][::-1]}, "must ascend, but goes from 1000 to 966.667 at channel 1"),
        (lambda p: {"axis": [1, 2, 2, 3]}, "must ascend, but goes from 2 to 2 at channel 2"),
        (lambda p: {"axis": [1, 2, np.nan, 3]}, "axis contains NaN: first at value 2"),
        (lambda p: {"axis": None}, "axis is missing: give the wavelength or wavenumber of every channel"),
        (lambda p: {"axis": list("abcd")}, "could not convert"),
        (lambda p: {"X": p["X"] * 1j}, "Complex data"),
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


# -- What it says of itself ------------------------------------------------------------------------------------------


def test_what_it_says_of_itself(ds):
    assert repr(ds).splitlines() == [
        "SpectralDataset 'spectra': 6 spectra x 4 channels (absorbance), wavelength 900 to 1000 nm",
        "  targets: fat; samples: number, farm, dry",
    ]
    assert repr(different()).splitlines() == [
        "SpectralDataset 'meat': 3 spectra x 4 channels (reflectance (%)), wavenumber 400 to 3333.33 cm-1",
        "  targets: fat, kind, fresh (1 values missing); samples: number, day",
    ]
    assert "targets: 0, 1" in repr(replace(ds, y=np.ones((6, 2)))), "names need not be words"


def picture(shown):
    """Width and height of the PNG in the text that a notebook shows."""
    encoded = re.search(r'src="data:image/png;base64,([^"]+)"', shown)[1]
    pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(encoded, validate=True)), format="png")
    assert pixels.ndim == 3 and np.ptp(pixels[..., :3]) > 0.5, "something is drawn"
    return pixels.shape[:2]


SHOWN = {
    "several": lambda: different(),
    "one spectrum": lambda: different()[1],
    "one channel": lambda: different().crop(450, 550),
    "one number": lambda: different().crop(450, 550)[0],
    "constant": lambda: SpectralDataset(np.ones((3, 4)), axis=[1, 2, 3, 4]),
    "zero": lambda: SpectralDataset(np.zeros((1, 1)), axis=[0]),
    "tiny": lambda: SpectralDataset(np.full((2, 3), 1e-300), axis=[1, 2, 3]),
    "integers": lambda: SpectralDataset([[1, 2, 3]], axis=[1, 2, 3]),
    "wavenumbers": lambda: different().to_axis_unit("cm-1"),
    "other unit": lambda: replace(different(), axis_name="m/z", axis_unit="", value_unit="counts"),
    "dollars": lambda: replace(different(), axis_name="$x_", axis_unit="$", value_unit="$x_$ \\frac $"),
    "many": lambda: SpectralDataset(np.random.default_rng(0).random((500, 30)), axis=np.arange(30)),
}


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": "\"><img src=x onerror=alert(1)>'",
    "nul": "a\0b",
    "terminal": "\x1b[31mred\x1b[0m\x07",
    "lines": "one\ntwo\rthree\u2028four",
    "direction": "a\u202eb\u2066c",
    "surrogate": "a\ud800b",
    "long": "x" * 200_000,
    "formula": "$\\frac{1}{0$",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_names_from_a_file_stay_names(name):
    """Whatever a file calls things, the preview is text and a picture, short and printable."""
    more = dict(axis_name=name, axis_unit=name, value_unit=name, name=name)
    ds = SpectralDataset(np.eye(3), axis=range(3), **more)
    if "\ud800" not in name:  # pandas refuses half a character
        columns = {f"{name}{i}": np.arange(3.0) for i in range(3)}
        ds = replace(ds, y=columns, samples={name: [name] * 3})
    for shown in (repr(ds), ds._repr_html_()):
        assert all(c.isprintable() or c == "\n" for c in shown) and shown.encode()
        assert len(repr(ds)) < 1_000 and repr(ds).count("\n") == 1
    text, _, rest = ds._repr_html_().partition("</pre>")
    assert html.unescape(text.removeprefix("<pre>")) == repr(ds) and "<" not in text.removeprefix("<pre>")
    assert re.fullmatch(r'<img alt="all spectra" title="all spectra" src="data:image/png;base64,[\w+/=]+">', rest)


def test_many_columns_are_counted():
    ds = SpectralDataset(np.eye(3), y=np.zeros((3, 500)), axis=range(3))
    assert "28, 29 and 470 more; samples: none" in repr(ds)


@pytest.mark.parametrize("make", SHOWN.values(), ids=SHOWN)
def test_what_a_notebook_shows(make):
    before = plt.get_fignums()  # of tests that ran earlier
    ds = make()
    shown = ds._repr_html_()
    assert shown.startswith(f"<pre>{html.escape(repr(ds))}</pre>") and picture(shown) == (144, 360)
    assert ("50 of 500 spectra" if len(ds) == 500 else "all spectra") in shown
    assert plt.get_fignums() == before, "no figure stays behind to be shown again"
    assert ds._repr_html_() == shown, "the same every time, so that a notebook saved again is the same file"


def test_names_are_no_html(ds):
    odd = "<b>&\"'</b><script>"
    ds = replace(ds, name=odd, value_unit=odd, axis_unit=odd, axis_name=odd, y={odd: range(6)}, samples={odd: range(6)})
    text = ds._repr_html_().split("<img")[0]
    assert re.findall("<[^>]*>", text) == ["<pre>", "</pre>"] and html.unescape(text) == f"<pre>{ds!r}</pre>"


# -- Together, to a table and back -------------------------------------------------------------------------------------


def test_concat_keeps_order_and_kind(ds):
    together = SpectralDataset.concat([ds[4:], ds[:4]], name="again")
    assert list(together.samples["number"]) == list(together.y["fat"]) == [4, 5, 0, 1, 2, 3]
    assert together.name == "again" and np.array_equal(together.X, ds.X[[4, 5, 0, 1, 2, 3]])
    assert list(together.y.index) == list(together.samples.index) == list(range(6))
    assert same(SpectralDataset.concat(one for one in ds), ds), "row by row, from a generator"
    assert same(SpectralDataset.concat([ds]), ds) and (together.samples.dtypes == ds.samples.dtypes).all()


def test_concat_leaves_open_what_a_part_does_not_know(ds):
    other = SpectralDataset(
        ds.X[:2], y={"water": [7.0, 8.0]}, axis=ds.axis, samples={"farm": ["z", "z"], "hand": [1, 2]}
    )
    together = SpectralDataset.concat([ds, other, SpectralDataset(ds.X[:1], axis=ds.axis)])
    assert len(together) == 9 and list(together.y.columns) == ["fat", "water"]
    assert together.y["fat"].isna().tolist() == [False] * 6 + [True] * 3
    assert together.y["water"].isna().tolist() == [True] * 6 + [False] * 2 + [True]
    assert list(together.samples.columns) == ["number", "farm", "dry", "hand"]
    assert "(10 values missing)" in repr(together) and len(together.where(farm="z")) == 2


def test_concat_of_notes_and_number_types(ds):
    parts = [replace(ds, notes=notes) for notes in ({"source": "one"}, {"source": "two", "licence": "MIT"}, {})]
    assert SpectralDataset.concat(parts).notes == {"source": "one", "licence": "MIT"}
    single = replace(ds, X=ds.X.astype("float32"))
    assert SpectralDataset.concat([single, single]).X.dtype == np.float32
    assert SpectralDataset.concat([single, ds]).X.dtype == np.float64


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(axis_name="wavenumber"), "axis_name='wavenumber', the first 'wavelength': convert it first"),
        (dict(axis_unit="um"), "axis_unit='um', the first 'nm'"),
        (dict(value_unit="reflectance"), "value_unit='reflectance', the first 'absorbance'"),
        (dict(axis=[900, 930, 960, 1000]), "4 channels, 900 to 1000, the first 4, 900 to 1000"),
        (dict(axis=[900, 930, 960], X=np.ones((6, 3))), r"3 channels, 900 to 960.*call part.resample\(first.axis\)"),
    ],
    ids=str,
)
def test_concat_converts_nothing(ds, change, words):
    with pytest.raises(ValueError, match=rf"part 2 \('odd one'\) has {words}"):
        SpectralDataset.concat([ds, ds, replace(ds, name="odd one", **change)])


def test_concat_of_nothing():
    with pytest.raises(ValueError, match="nothing to put together"):
        SpectralDataset.concat([])


def test_table_and_back(ds):
    frame = ds.to_frame()
    assert list(frame.columns) == ["number", "farm", "dry", "fat", *ds.axis] and len(frame) == 6
    assert same(SpectralDataset.from_frame(frame), ds)
    assert same(
        SpectralDataset.from_frame(frame.iloc[:, ::-1][["dry", *frame.columns.drop("dry")]]).where(),
        replace(ds, samples=ds.samples[["dry", "number", "farm"]]),
    )
    kept = replace(different(), notes={})  # notes are about the whole set and stay behind
    assert same(SpectralDataset.from_frame(different().to_frame()), kept)


def test_table_is_a_copy(ds):
    frame = ds.to_frame()
    frame.iloc[:, 3:] = 0.0
    assert ds.X.max() > 0 and ds.y["fat"].max() > 0
    assert frame.attrs["targets"] == ["fat"] and frame.attrs["axis_unit"] == "nm"


def test_through_a_text_file(ds):
    """A CSV keeps neither units nor which columns are targets: they are said again."""
    text = io.StringIO(different().to_frame().to_csv(index=False))
    units = dict(axis_name="wavenumber", axis_unit="cm-1", value_unit="reflectance (%)", name="meat")
    again = SpectralDataset.from_frame(
        pd.read_csv(text, float_precision="round_trip"), targets=["fat", "kind", "fresh"], **units
    )
    assert np.array_equal(again.X, different().X) and np.array_equal(again.axis, different().axis), "to the last digit"
    assert again.y.equals(different().y.astype({"kind": "str"})) and repr(again) == repr(different())
    text = io.StringIO(ds.to_frame().to_csv(index=False))
    assert same(SpectralDataset.from_frame(pd.read_csv(text, float_precision="round_trip"), targets="fat"), ds), (
        "one name need not be a list"
    )


@pytest.mark.parametrize(
    "names",
    [
        [900, 950, 1000],
        ["900", "950.0", "1e3"],
        [900.0, "950", np.int64(1000)],
        pd.Index([900, 950, 1000], dtype="float32"),
    ],
    ids=str,
)
def test_names_that_are_numbers_are_channels(names):
    frame = pd.DataFrame([[1, 2, 3], [4, 5, 6]], columns=names)
    frame.insert(1, "id", ["a", "b"])
    frame.insert(3, "nan", [7, 8])
    frame[True] = [9, 9]
    frame["x950"] = frame["inf"] = 0
    ds = SpectralDataset.from_frame(frame)
    assert ds.axis.tolist() == [900, 950, 1000] and ds.X.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert list(ds.samples.columns) == ["id", "nan", True, "x950", "inf"] and ds.axis_unit == "nm"


def test_columns_in_any_order_come_out_ascending():
    for order in ([3, 2, 1, 0], [2, 0, 3, 1]):
        frame = pd.DataFrame([[1, 2, 3, 4]], columns=["1", "20", "100", "1000"]).iloc[:, order]
        ds = SpectralDataset.from_frame(frame)
        assert ds.axis.tolist() == [1, 20, 100, 1000] and ds.X.tolist() == [[1, 2, 3, 4]]


def test_rows_of_a_table_are_numbered_anew(ds):
    frame = ds.to_frame().set_index(pd.Index(list("abcdef"), name="id"))
    assert same(SpectralDataset.from_frame(frame), ds)
    assert same(SpectralDataset.from_frame(frame[::2]), ds[::2])


def test_words_win_over_what_the_table_remembers(ds):
    frame = ds.to_frame()
    ds = SpectralDataset.from_frame(frame, targets=["number", "farm"], axis_unit="um", name="other")
    assert list(ds.y.columns) == ["number", "farm"] and list(ds.samples.columns) == ["dry", "fat"]
    assert (ds.axis_unit, ds.axis_name, ds.name) == ("um", "wavelength", "other")
    assert SpectralDataset.from_frame(frame, targets=[]).y.shape == (6, 0)
    assert SpectralDataset.from_frame(frame.rename(columns={900.0: "5"}), targets=["5"]).axis.min() > 900, "a target"


@pytest.mark.parametrize(
    ("frame", "targets", "words"),
    [
        (pd.DataFrame({"fat": [1.0]}), None, "no channel found: the columns of spectra must be named by numbers"),
        (pd.DataFrame(), None, "no channel found"),
        (pd.DataFrame({"900": [1.0]}), "fat", r"no column 'fat' for a target: choose among \[\]"),
        (pd.DataFrame({"900": [1.0], "id": [1]}), ["fat"], r"choose among \['id'\]"),
        (pd.DataFrame({"900": [1.0], "900.0": [2.0]}), None, "must ascend, but goes from 900 to 900"),
        (pd.DataFrame({"900": [1.0, np.nan]}), None, "X contains NaN: first at row 1, channel 0"),
        (pd.DataFrame({"900": ["1,5"]}), None, "could not convert"),
        (pd.DataFrame({"900": []}), None, "0 sample"),
    ],
    ids=str,
)
def test_tables_that_are_no_spectra(frame, targets, words):
    with pytest.raises(ValueError, match=words):
        SpectralDataset.from_frame(frame, targets)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (dict(samples={"fat": range(6)}), "two columns named 'fat': rename one first"),
        (dict(samples={2002: range(6)}), "column 2002 of samples or y would be taken for a channel"),
        (dict(y={"5": range(6)}), "column '5' of samples or y would be taken for a channel"),
        (dict(y=np.ones(6)), "column 0 of samples or y would be taken for a channel"),
    ],
    ids=str,
)
def test_names_that_a_table_could_not_tell_apart(ds, change, words):
    with pytest.raises(ValueError, match=words):
        replace(ds, **change).to_frame()


# -- Another range, other channels, other units ------------------------------------------------------------------------


def kept(one, other):
    """All that an operation on channels has to leave alone."""
    pd.testing.assert_frame_equal(one.y, other.y)
    pd.testing.assert_frame_equal(one.samples, other.samples)
    return one.name == other.name and one.notes == other.notes and not one.X.flags.writeable


def test_crop_takes_both_ends(ds):
    low, high = ds.axis[1], ds.axis[2]
    part = ds.crop(low, high)
    assert part.axis.tolist() == [low, high] and np.array_equal(part.X, ds.X[:, 1:3]) and kept(part, ds)
    assert same(ds.crop(), ds) and ds.crop(low).axis[0] == low and ds.crop(high=low).axis.tolist() == [ds.axis[0], low]
    for wrong in ((1001,), (None, 899), (950, 940), (934, 935)):
        with pytest.raises(ValueError, match=r"no channel from .*: the axis goes from 900 to 1000"):
            ds.crop(*wrong)
    for wrong in ("900", np.nan, [900], True):
        with pytest.raises(ValueError, match=r"low=.* must be a finite number"):
            ds.crop(wrong)


def test_two_crops_make_the_whole():
    ds = different()
    low, high = ds.crop(high=550), ds.crop(550)
    X = np.concatenate([low.X, high.X], axis=1)
    assert same(replace(low, X=X, axis=np.concatenate([low.axis, high.axis])), ds)


@pytest.mark.parametrize("method", ["linear", "cubic"])
def test_resample_is_that_of_units(ds, method):
    new = np.linspace(890, 1000, 7)
    part = ds.resample(new, outside="hold", method=method)
    assert np.array_equal(part.X, units.resample(ds.X, ds.axis, new, "hold", method)) and kept(part, ds)
    assert np.array_equal(part.axis, new) and same(ds.resample(ds.axis), ds)
    assert ds.resample([890, 950], outside=-1).X[:, 0].tolist() == [-1] * 6
    with pytest.raises(ValueError, match="1 of 7 new channels lie outside the spectra's 900 to 1000"):
        ds.resample(new)
    for wrong in (950.0, None, [], [[950.0]]):
        with pytest.raises(ValueError, match="new_axis has shape"):
            ds.resample(wrong)


def test_units_of_the_axis_there_and_back(ds):
    other = ds.to_axis_unit("cm-1")
    assert (other.axis_name, other.axis_unit) == ("wavenumber", "cm-1") and kept(other, ds)
    assert np.array_equal(other.X, ds.X[:, ::-1]) and (np.diff(other.axis) > 0).all()
    np.testing.assert_allclose(other.axis, 1e7 / ds.axis[::-1], rtol=1e-15)
    back = other.to_axis_unit("um").to_axis_unit("nm")
    np.testing.assert_allclose(back.axis, ds.axis, rtol=1e-15)  # three divisions
    assert same(replace(back, axis=ds.axis), ds) and same(ds.to_axis_unit("nm"), ds)


@pytest.mark.parametrize(
    ("change", "unit", "words"),
    [
        (dict(axis_name="Raman shift", axis_unit="cm-1"), "nm", "a Raman shift in 'cm-1' has no other unit"),
        (dict(axis_name="wavelength", axis_unit="cm-1"), "nm", "a wavelength in 'cm-1' has no other unit"),
        (dict(axis_name="m/z", axis_unit="Da"), "nm", "a m/z in 'Da' has no other unit"),
        (dict(), "Å", "to='Å' is unknown: choose one of 'nm', 'um', 'cm-1'"),
        (dict(axis=[0, 1, 2, 3]), "cm-1", "axis must be positive and finite"),
    ],
    ids=str,
)
def test_axes_that_cannot_be_converted(ds, change, unit, words):
    with pytest.raises(ValueError, match=words):
        replace(ds, **change).to_axis_unit(unit)


def test_units_of_the_values_there_and_back(ds):
    percent = ds.to_value_unit("transmittance (%)")
    assert percent.value_unit == "transmittance (%)" and kept(percent, ds)
    np.testing.assert_allclose(percent.X, 100 * 10**-ds.X, rtol=1e-14)
    back = percent.to_value_unit("transmittance").to_value_unit("absorbance")
    np.testing.assert_allclose(back.X, ds.X, rtol=0, atol=1e-15)
    dark = replace(ds, X=with_value(ds.X, 3, 2, -0.5), value_unit="reflectance")
    with pytest.warns(SpectrumWarning, match="row 3 below"):
        assert dark.to_value_unit("absorbance", floor=1e-3).X[3, 2] == 3
    for unit, to in (("transmittance", "reflectance"), ("counts", "absorbance"), ("absorbance", "counts")):
        with pytest.raises(ValueError, match=r"cannot be converted to|is unknown: choose one of 'absorbance'"):
            replace(ds, value_unit=unit).to_value_unit(to)
