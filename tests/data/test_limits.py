"""Small files do not take large memory: what a file claims to hold is compared with its own size first."""

import io
import struct
import time
import tracemalloc
import zipfile

import h5py
import numpy as np
import openpyxl
import pytest
from scipy.io import savemat

from deep_chemometrics.data import read_mat, read_spectra

AXIS = np.array([1000.0, 1010.0, 1020.0, 1030.0, 1040.0])
X = np.array([[0.1, 0.2, 0.3, 0.2, 0.1], [0.2, 0.3, 0.5, 0.3, 0.2], [0.1, 0.1, 0.2, 0.1, 0.1]])
LIMIT = 200_000_000  # bytes; and 20 times the file


def refused_cheaply(path, message, seconds=20, **options):
    """The file is refused with this message, in bounded memory and time."""
    began = time.perf_counter()
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message) as error:
            read_spectra(path, **options)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert path.name in str(error.value)
    assert peak < 20 * path.stat().st_size + LIMIT
    assert time.perf_counter() - began < seconds


# -- Excel ----------------------------------------------------------------------------------------------------------

BOOK = [["id", 1000.0, 1010.0, 1020.0], ["a", 0.1, 0.2, 0.3], ["b", 0.2, 0.3, 0.5]]
SHEET = "xl/worksheets/sheet1.xml"
XML = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)


def workbook(path, stray=None):
    book = openpyxl.Workbook()
    for row in BOOK:
        book.active.append(row)
    if stray:
        book.active[stray] = "x"
    book.save(path)
    return path


def with_part(path, name, content):
    """A workbook with one of its parts replaced."""
    parts = zipfile.ZipFile(io.BytesIO(workbook(path).read_bytes()))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in parts.namelist():
            if part != name:
                archive.writestr(part, parts.read(part))
        archive.writestr(name, content)
    return path


def test_a_stray_far_cell(tmp_path):
    path = workbook(tmp_path / "far.xlsx", stray="BXX20000")
    message = "reach to row 20,000 and column 2,000.*Row 20,000 has one in column 2,000: delete it"
    refused_cheaply(path, message, axis_unit="nm")


def test_a_stray_cell_that_is_near_is_an_error_of_the_table(tmp_path):
    refused_cheaply(workbook(tmp_path / "near.xlsx", stray="F9"), "near.xlsx", axis_unit="nm")


@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        (SHEET, XML.format('<row r="1"><c r="A1"><v>1</v></c></row>' * 2_000_000), "its sheets unpack to"),
        (
            "xl/sharedStrings.xml",
            "<sst>" + "<si><t>a</t></si>" * 4_000_000 + "</sst>",
            "its words and styles claims",
        ),
    ],
    ids=["zip bomb", "words"],
)
def test_workbooks_made_to_fill_the_memory(tmp_path, part, content, message):
    refused_cheaply(with_part(tmp_path / "bomb.xlsx", part, content), message, axis_unit="nm")


@pytest.mark.slow  # a million empty rows are passed
def test_a_row_with_an_impossible_number(tmp_path):
    path = with_part(
        tmp_path / "row.xlsx", SHEET, XML.format('<row r="9999999999"><c r="A9999999999"><v>1</v></c></row>')
    )
    with pytest.raises(ValueError, match=r"row.xlsx: its cells reach to row"):
        read_spectra(path, axis_unit="nm")


def test_cells_of_a_workbook(tmp_path):
    """Whole numbers stay whole, errors of formulas count as empty, and the size that a sheet states is ignored."""
    path = workbook(tmp_path / "book.xlsx")
    cells = '<row r="1"><c r="A1"><v>1.0</v></c><c r="B1" t="e"><v>#DIV/0!</v></c><c r="C1"><v>1e300</v></c></row>'
    with_part(path, SHEET, XML.replace("<sheetData>", '<dimension ref="A1:A1"/><sheetData>').format(cells))
    from deep_chemometrics.data.cells import _excel_frame

    (row,) = _excel_frame(path, 0).to_numpy().tolist()
    assert row[0] == 1 and isinstance(row[0], int) and row[1] != row[1] and row[2] == 1e300
    with pytest.raises(ValueError, match=r"Worksheet 3 is not there: choose among \['Sheet'\]"):
        _excel_frame(path, 3)


# -- Files that name other files ------------------------------------------------------------------------------------


def plain_mat(path):
    with h5py.File(path, "w") as file:
        file["X"] = X.T
        file["axis"] = AXIS
    return path


@pytest.mark.parametrize("kind", ["external link", "soft link", "external values", "virtual"])
def test_a_matlab_file_that_names_another_file(tmp_path, kind):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = np.full((5, 3), 42.0)
    (tmp_path / "other.txt").write_bytes(b"s" * 120)
    path = plain_mat(tmp_path / "some.mat")
    with h5py.File(path, "r+") as file:
        del file["X"]
        if kind == "external link":
            file["X"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/secret")
        elif kind == "soft link":
            file["other"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
            file["X"] = h5py.SoftLink("/other/secret")
            file.move("other", "#other")
        elif kind == "external values":
            file.create_dataset("X", (5, 3), "f8", external=[(str(tmp_path / "other.txt"), 0, 120)])
        else:
            layout = h5py.VirtualLayout((5, 3), "f8")
            layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "secret", (5, 3))
            file.create_virtual_dataset("X", layout)
    with pytest.raises(
        ValueError, match=r"some.mat: /X (is a link, perhaps to another|has its values in another) file"
    ):
        read_mat(path, axis_unit="nm")


# -- MATLAB and numpy -----------------------------------------------------------------------------------------------


def test_groups_on_very_many_ways(tmp_path):
    """Forty groups, each linked twice in the one before: 2**40 names."""
    path = plain_mat(tmp_path / "many.mat")
    with h5py.File(path, "r+") as file:
        group = file.create_group("g")
        for _ in range(40):
            below = group.create_group("a")
            group["b"] = below
            group = below
    refused_cheaply(path, "is linked twice", axis_unit="nm")
    with h5py.File(plain_mat(path), "r+") as file:
        file["g/a"] = 1.0
        file["g/self"] = file["g"]
    refused_cheaply(path, "/g/self is linked twice", axis_unit="nm")


def test_cells_that_contain_themselves(tmp_path):
    path = plain_mat(tmp_path / "cells.mat")
    with h5py.File(path, "r+") as file:
        cells = file.create_dataset("c", (2,), dtype=h5py.ref_dtype)
        cells[:] = [file["axis"].ref, cells.ref]
    refused_cheaply(path, "/c contains itself", axis_unit="nm")


def test_cells_that_share_what_they_hold(tmp_path):
    """Forty cell arrays, each twice the one before: every object is read once."""
    path = plain_mat(tmp_path / "shared.mat")
    with h5py.File(path, "r+") as file:
        last = file["axis"].ref
        for i in range(40):
            cells = file.create_dataset(f"#refs#/{i}", data=np.array([last, last], dtype=h5py.ref_dtype))
            last = cells.ref
        file["c"] = np.array([last, last], dtype=h5py.ref_dtype)
    assert (read_mat(path, axis_unit="nm").X == X).all()


def test_matlab_files_that_claim_too_much(tmp_path):
    path = plain_mat(tmp_path / "some.mat")
    options = dict(compression="gzip", fillvalue=0.0)
    with h5py.File(path, "r+") as file:
        file.create_dataset("zeros", (3_000_000_000,), "f8", chunks=(1_000_000,), **options)
    refused_cheaply(path, "/zeros claims 24,008,", axis_unit="nm")
    with h5py.File(plain_mat(path), "r+") as file:
        file.create_dataset("piece", (10,), "f8", maxshape=(None,), chunks=(400_000_000,), **options)
    refused_cheaply(path, "/piece claims 3,2", axis_unit="nm")
    content = {"X": X, "axis": AXIS, "much": np.zeros(13_000_000, "u1")}
    savemat(path, content | {"much": np.zeros((2, 5_000_000))}, do_compression=True)
    refused_cheaply(path, "a variable, unpacked, claims", axis_unit="nm")
    savemat(path, content, do_compression=True)
    refused_cheaply(path, "'much' claims", axis_unit="nm", X="much")
    assert (read_mat(path, axis_unit="nm").X == X).all(), "the other variable is not in the way"


def header(shape, dtype="<f8"):
    """The first bytes of a .npy file that claims this shape."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, dict(descr=dtype, fortran_order=False, shape=shape))
    return file.getvalue()


@pytest.mark.parametrize("shape", [(10**6, 10**6), (-1, -(10**9)), (10**10, 0, 10**10, 1)])
def test_numpy_files_that_claim_too_much(tmp_path, shape):
    content = header(shape) + X.tobytes()
    (tmp_path / "some.npy").write_bytes(content)
    refused_cheaply(tmp_path / "some.npy", "some.npy: ", axis=AXIS, axis_unit="nm")
    with zipfile.ZipFile(tmp_path / "some.npz", "w") as archive:
        archive.writestr("X.npy", content)
    refused_cheaply(tmp_path / "some.npz", "some.npz: ", axis="axis", axis_unit="nm")


def test_numpy_archives_that_unpack_to_too_much(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("X.npy", header((3, 5)) + X.tobytes())
        archive.writestr("axis.npy", bytes(230_000_000))
    refused_cheaply(path, "what it holds, unpacked, claims 230,0", axis="axis", axis_unit="nm")
    # an LZMA stream may ask for a dictionary of four gigabytes
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("X.npy", header((3, 5)) + X.tobytes())
    refused_cheaply(path, "'X.npy' is packed by method 14", axis="axis", axis_unit="nm")


def test_words_without_letters_claim_memory_too(tmp_path):
    with zipfile.ZipFile(tmp_path / "words.npz", "w") as archive:
        archive.writestr("X.npy", header((3, 5)) + X.tobytes())
        archive.writestr("axis.npy", header((5,)) + AXIS.tobytes())
        archive.writestr("id.npy", header((10**10,), "<U0"))
    refused_cheaply(tmp_path / "words.npz", "'id' claims", axis="axis", samples="id", axis_unit="nm")


def test_a_damaged_array_of_text_is_not_read_as_one_long_name(tmp_path):
    np.savez(tmp_path / "whole.npz", X=X, axis=AXIS)
    with zipfile.ZipFile(tmp_path / "whole.npz", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("id.npy", b"\x93NU\xff\xff\xff" + bytes(500_000))
        archive.writestr("README", b"words")
    with pytest.raises(ValueError, match="'id' is no array"):
        read_spectra(tmp_path / "whole.npz", axis="axis", axis_unit="nm")


# -- OPUS, SPC, JCAMP-DX --------------------------------------------------------------------------------------------

ABSORBANCE = 3 | 3 << 2 | 4 << 10
SERIES = ABSORBANCE | 2 << 19


def opus_parameters(**values):
    block = b""
    for name, value in values.items():
        kind, content = {int: (0, "<i"), float: (1, "<d")}.get(type(value), (2, None))
        stored = struct.pack(content, value) if content else value.encode().ljust(4, b"\0")
        block += name.encode() + b"\0" + struct.pack("<2h", kind, len(stored) // 2) + stored
    return block + b"END\0" + bytes(4)


def opus_file(path, kind, content, n_points):
    """An OPUS file with one block of values, and as many points as its status says."""
    status = opus_parameters(DPF=1, NPT=n_points, FXV=1.0, LXV=2.0, CSF=1.0, DXU="WN")
    at = 24 + 2 * 12
    blocks = struct.pack("<3i", kind, len(content) // 4, at)
    blocks += struct.pack("<3i", kind | 1 << 4, len(status) // 4, at + len(content))
    path.write_bytes(b"\n\n\xfe\xfe" + struct.pack("<d3i", 9.2e5, 24, 40, 2) + blocks + content + status)
    return path


def series(n_spectra, n_bytes=20, about=152):
    return struct.pack("<6i", 0, n_spectra, 32, n_bytes, about, 1) + bytes(8) + 3 * bytes(20 + 152)


def test_opus_files_that_claim_too_much(tmp_path):
    path = tmp_path / "oat.0"
    assert read_spectra(opus_file(path, SERIES, series(3), 5), axis_unit="cm-1").X.shape == (3, 5)
    for n_points in (2**31 - 1, 6, -1):
        refused_cheaply(opus_file(path, SERIES, series(3), n_points), rf"claims {n_points:,} points \(NPT\), but 5")
    refused_cheaply(opus_file(path, SERIES, series(2**31 - 1), 5), "its series claims")
    for numbers in (dict(about=0), dict(n_bytes=-4), dict(n_bytes=600)):
        refused_cheaply(opus_file(path, SERIES, series(3, **numbers), 5), "impossible sizes")
    refused_cheaply(opus_file(path, ABSORBANCE, X[0].astype("<f4").tobytes(), 2**31 - 1), "no computed spectrum")
    # three thousand blocks, and two thousand that are each the whole file
    whole = b"\n\n\xfe\xfe" + struct.pack("<d3i", 9.2e5, 24, 40, 10**6)
    path.write_bytes(whole + struct.pack("<3i", ABSORBANCE, 1, 24) * 3_000)
    refused_cheaply(path, "it has 3,000 blocks")
    path.write_bytes(whole + struct.pack("<3i", ABSORBANCE, 250_000, 24) * 1_900 + bytes(24) + bytes(10**6))
    refused_cheaply(path, "all its blocks claims")


def spc_file(path, n_points, n_spectra, own_axes=False, stored=X):
    flags = 0x84 | (0x40 if own_axes else 0)
    head = struct.pack("<3BbI2dI", flags, 0x4B, 0, -128, n_points, 0, 0, n_spectra) + b"\3\2"
    parts = [head.ljust(512, b"\0")] + ([] if own_axes else [AXIS.astype("<f4").tobytes()])
    for i, y in enumerate(stored):
        parts.append(struct.pack("<BbH3f2I", 0, -128, i, 0, 0, 0, n_points, 1).ljust(32, b"\0"))
        parts += [AXIS.astype("<f4").tobytes()] if own_axes else []
        parts.append(y.astype("<f4").tobytes())
    path.write_bytes(b"".join(parts))
    return path


@pytest.mark.parametrize("own_axes", [False, True])
def test_spc_files_that_claim_too_much(tmp_path, own_axes):
    path = tmp_path / "oat.spc"
    assert (read_spectra(spc_file(path, 5, 3, own_axes)).axis == AXIS).all()
    refused_cheaply(spc_file(path, 2**32 - 1, 3, own_axes), "it promises 4,294,967,295 points")
    refused_cheaply(spc_file(path, 5, 4, own_axes), "it promises 5 points|0 points")
    refused_cheaply(spc_file(path, 5, 2**32 - 1, own_axes), "the number of its spectra claims")
    refused_cheaply(spc_file(path, 0, 2**31, own_axes), "the number of its spectra claims")
    refused_cheaply(spc_file(path, 2**30, 0, own_axes), "the number of its points claims")


def test_repetitions_in_a_jcamp_file(tmp_path):
    head = "##TITLE=a\n##DATATYPE=INFRARED SPECTRUM\n##XUNITS=1/CM\n##FIRSTX=400\n##LASTX=4000\n##NPOINTS=4000000\n"
    path = tmp_path / "flat.jdx"
    path.write_text(head + "##XYDATA=(X++(Y..Y))\n400 AV000000\n##END=\n")
    refused_cheaply(path, "the data write out to more than 1,000,0")


def test_a_table_with_a_very_long_row(tmp_path):
    """A kilobyte of memory for a column of two letters."""
    path = tmp_path / "long.csv"
    path.write_text("id,1000,1010,1020\na,1,2,3\nb," + "0," * 150_000 + "0\n")
    refused_cheaply(path, "a row has 150,002 cells", axis_unit="nm")
