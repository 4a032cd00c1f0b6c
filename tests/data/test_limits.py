"""Small files do not take large memory: what a file claims to hold is compared with its own size first."""

import io
import time
import tracemalloc
import zipfile

import openpyxl
import pytest

from deep_chemometrics.data import read_spectra

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
    path = workbook(tmp_path / "far.xlsx", stray="BXX200000")
    message = "reach to row 200,000 and column 2,000.*Row 200,000 has one in column 2,000: delete it"
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
            "its words and styles would take",
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
    with pytest.raises(ValueError, match="row.xlsx: its cells reach to row"):
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
