"""JCAMP-DX in every form, real and made up, damaged in every way."""

import contextlib
import io
import itertools
import os
import re
import time
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import read_jcamp

REAL = Path(os.environ.get("DC_TESTDATA", "-"), "gas_phase_ir")
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="DC_TESTDATA does not name a folder with gas_phase_ir")


# -- A small encoder, written from the tables of the standard and not from our reader -------------------------------


def pseudo(number, positive, negative):
    """The first digit of a whole number, with its sign, as one character; the other digits as they are."""
    digits = str(abs(number))
    return (negative[int(digits[0]) - 1] if number < 0 else positive[int(digits[0])]) + digits[1:]


def sqz(number):
    return pseudo(number, "@ABCDEFGHI", "abcdefghi")


def dif(number):
    return pseudo(number, "%JKLMNOPQR", "jklmnopqr")


def dup(count):
    return pseudo(count, " STUVWXYZs", "")


def with_repetitions(words):
    runs = [(word, len(list(run))) for word, run in itertools.groupby(words)]
    return [word + (dup(count) if count > 1 else "") for word, count in runs]


def table(y, x, form, per_line=7):
    """Lines of a table (X++(Y..Y)) of whole numbers `y`; `x` are the abscissas as they are to be printed."""
    lines = []
    per_line += form.startswith("DIF")  # a line of differences has one at least
    for i in range(0, len(y), per_line):
        part = [int(v) for v in y[i : i + per_line]]
        if form == "AFFN":
            words = [f" {v}" for v in part]
        elif form == "PAC":
            words = [f"{v:+d}" for v in part]
        elif form in ("SQZ", "SQZDUP"):
            words = [sqz(v) for v in part]
            words = with_repetitions(words) if form == "SQZDUP" else words
        else:  # every line but the first begins with the last value of the line before, as a check
            before = [int(y[i - 1])] if i else []
            full = before + part
            words = [dif(b - a) for a, b in itertools.pairwise(full)]
            words = [sqz(full[0])] + (with_repetitions(words) if form == "DIFDUP" else words)
        lines.append(f"{x[max(i - form.startswith('DIF'), 0)]}" + "".join(words))
    if form.startswith("DIF") and len(y) > 1:
        lines.append(f"{x[-1]}{sqz(int(y[-1]))}")
    return "\n".join(lines)


FORMS = ["AFFN", "PAC", "SQZ", "SQZDUP", "DIF", "DIFDUP"]


def spectrum(y, form="AFFN", first=400.0, step=2.0, yfactor=0.001, xfactor=1.0, per_line=7, **labels):
    """A file of one spectrum. `y` are the whole numbers of its table; labels given as None are left out."""
    y = np.asarray(y)
    x = first + step * np.arange(len(y))
    header = {
        "TITLE": "made up", "JCAMP-DX": "4.24", "DATA TYPE": "INFRARED SPECTRUM", "ORIGIN": "tests", "OWNER": "none",
        "XUNITS": "1/CM", "YUNITS": "ABSORBANCE", "XFACTOR": xfactor, "YFACTOR": yfactor, "FIRSTX": first,
        "LASTX": x[-1], "NPOINTS": len(y), "FIRSTY": f"{y[0] * yfactor:.6g}",
    }  # fmt: skip
    header |= {label.replace("_", " "): value for label, value in labels.items() if label not in ("XYDATA", "table")}
    body = labels.get("table", table(y, [f"{v / xfactor:.10g}" for v in x], form, per_line))
    head = "\n".join(f"##{label}={value}" for label, value in header.items() if value is not None)
    return f"{head}\n##XYDATA={labels.get('XYDATA', '(X++(Y..Y))')}\n{body}\n##END=\n"


@pytest.fixture
def write(tmp_path):
    """Writes a text or bytes to a file and returns its path."""
    names = (tmp_path / f"file {i}.jdx" for i in itertools.count())

    def write(content):
        path = next(names)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def read(write):
    """Reads a text or bytes as a file; a warning is an error."""

    def read(content, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return read_jcamp(write(content), **options)

    return read


BAND = np.round(500 * np.exp(-((np.arange(61) - 30) ** 2) / 50)).astype(int) - 20
STEPS = np.repeat([5, 5, 0, 12, 0, -7, 100], [12, 3, 30, 4, 25, 6, 1])


# -- Forms of the table ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("y", [BAND, STEPS, BAND[:1], STEPS[:2]], ids=["band", "steps", "one", "two"])
@pytest.mark.parametrize(("first", "step"), [(400.0, 2.0), (4000.0, -0.5)], ids=["ascending", "descending"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_back_what_went_in(read, form, first, step, y):
    ds = read(spectrum(y, form, first=first, step=step))
    x = first + step * np.arange(len(y))
    order = np.argsort(x)
    assert np.array_equal(ds.axis, x[order]) and np.array_equal(ds.X, [y[order] * 0.001])
    assert (ds.axis_name, ds.axis_unit, ds.value_unit) == ("wavenumber", "cm-1", "absorbance")
    assert ds.y.shape == (1, 0) and "remarks" not in ds.notes


def test_repetitions_by_hand(read):
    """B3T is 23 twice; S is once; J2U is a rise of 12 three times, %W a flat stretch of five."""
    text = spectrum(np.zeros(12), yfactor=1, step=1.0, FIRSTY=23, table="400B3TA0SJ2U\n405D6%W\n410D6jS")
    assert read(text).X.tolist() == [[23, 23, 10, 22, 34, 46, 46, 46, 46, 46, 46, 45]]


def test_repetitions_of_many_digits(read):
    """V3 is 43 times, not 4: the letter is the first digit only."""
    assert read(spectrum([7] * 43, table="400G V3".replace(" ", ""))).X.tolist() == [[0.007] * 43]
    assert read(spectrum(np.arange(101), table="400@JS00")).X.tolist() == [(np.arange(101) * 0.001).tolist()]


def test_plus_and_minus_separate_numbers(read):
    text = spectrum([1, 2, -3, 40], table="400+1+2-3\n406 40")
    assert read(text).X.tolist() == [[0.001, 0.002, -0.003, 0.04]]


@pytest.mark.parametrize("write_number", ["{:.5f}", "{:.4E}", "{:.4e}", " {:+.4E}", "{:+.3E}".format, "{:g}"])
def test_decimals_and_exponents(read, write_number):
    y = [0.5, 0.25, -0.125, 1e-3, 12.5]
    words = " ".join(write_number.format(v) if isinstance(write_number, str) else write_number(v) for v in y)
    assert read(spectrum(y, yfactor=1, table=f"400 {words}")).X.tolist() == [y]


def test_exponents_without_blanks(read):
    y = [1e-3, -2.5e-4, 3e2]
    assert read(spectrum(y, yfactor=1, table="400+1.0E-03-2.5E-04+3.0E+02")).X.tolist() == [y]


def test_an_e_may_be_a_five(read):
    """With no other letter in the table: squeezed 5, 51 and -5, and no exponent."""
    assert read(spectrum([5, 51, -5], yfactor=1, table="400EE1e")).X.tolist() == [[5, 51, -5]]
    assert read(spectrum([5123, 5124], yfactor=1, table="400E123\n402E124")).X.tolist() == [[5123, 5124]]


@pytest.mark.parametrize("separator", [" ", ",", ", ", "; ", "\t", "\n", ";\n"])
def test_pairs(read, separator):
    x, y = [400.0, 410.5, 433.25], [0.5, -0.25, 1.0]
    pairs = separator.join(f"{a} {b}" if separator in (" ", "\n", "\t") else f"{a},{b}" for a, b in zip(x, y))
    for label in ("XYDATA", "XYPOINTS"):
        text = spectrum(y, yfactor=1, XYDATA="(XY..XY)", table=pairs, LASTX=433.25).replace("##XYDATA", f"##{label}")
        ds = read(text)
        assert ds.axis.tolist() == x and ds.X.tolist() == [y]


def test_factors_of_pairs(read):
    ds = read(spectrum([5, 6], yfactor=0.5, xfactor=10, XYDATA="(XY..XY)", table="43 5; 41 6", FIRSTX=430, LASTX=410))
    assert ds.axis.tolist() == [410, 430] and ds.X.tolist() == [[3, 2.5]]


def test_pairs_at_the_same_x_become_their_mean(write):
    text = spectrum([1, 2, 4], yfactor=1, XYDATA="(XY..XY)", table="400 1 402 2 402 4 404 5", NPOINTS=4, LASTX=404)
    with pytest.warns(SpectrumWarning, match="1 points have the X of the point before"):
        ds = read_jcamp(write(text))
    assert ds.axis.tolist() == [400, 402, 404] and ds.X.tolist() == [[1, 3, 5]]


def test_xfactor_is_for_the_lines_only(read):
    """FIRSTX and LASTX are true values; the X values of the lines are to be multiplied."""
    ds = read(spectrum(BAND, "DIFDUP", xfactor=0.25))
    assert np.array_equal(ds.axis, 400 + 2.0 * np.arange(61))


@settings(deadline=None)
@given(
    y=st.lists(st.integers(-(10**9), 10**9) | st.integers(-3, 3), min_size=1, max_size=60),
    repeat=st.integers(1, 12),
    form=st.sampled_from(FORMS),
    per_line=st.integers(1, 12),
    descending=st.booleans(),
)
@example(y=[5], repeat=1, form="SQZ", per_line=1, descending=False)
@example(y=[5, 55, 5], repeat=1, form="SQZ", per_line=3, descending=True)
@example(y=[-5, -15, -5], repeat=2, form="SQZ", per_line=1, descending=False)
def test_round_trip(tmp_path_factory, y, repeat, form, per_line, descending):
    path = tmp_path_factory.mktemp("round") / "trip.jdx"
    y = np.repeat(y, repeat)
    step = -1.0 if descending else 1.0
    path.write_text(spectrum(y, form, first=5000.0, step=step, yfactor=1, per_line=per_line))
    ds = read_jcamp(path)
    assert np.array_equal(ds.X[0], y[:: int(step)])  # whole numbers below 2^53, so exactly


# -- Headers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("1/CM", ("wavenumber", "cm-1")),
        ("cm-1", ("wavenumber", "cm-1")),
        ("CM^-1", ("wavenumber", "cm-1")),
        ("Wavenumber (cm-1)", ("wavenumber", "cm-1")),
        ("WAVENUMBERS", ("wavenumber", "cm-1")),
        ("MICROMETERS", ("wavelength", "um")),
        ("microns", ("wavelength", "um")),
        ("µm", ("wavelength", "um")),
        ("NANOMETERS", ("wavelength", "nm")),
        (" nm ", ("wavelength", "nm")),
        ("Wavelength (nm)", ("wavelength", "nm")),
        ("HZ", ("abscissa", "hz")),
        ("", ("abscissa", "unknown")),
    ],
)
def test_units_of_the_axis(read, words, expected):
    ds = read(spectrum(BAND, XUNITS=words))
    assert (ds.axis_name, ds.axis_unit) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ABSORBANCE", "absorbance"),
        ("A", "absorbance"),
        ("TRANSMITTANCE", "transmittance"),
        ("Reflectance", "reflectance"),
        ("% TRANSMITTANCE", "transmittance (%)"),
        ("PERCENT TRANSMITTANCE", "transmittance (%)"),
        ("TRANSMITTANCE (%)", "transmittance (%)"),
        ("%T", "transmittance (%)"),
        ("%Reflectance", "reflectance (%)"),
        ("KUBELKA-MUNK", "kubelka-munk"),
        ("(micromol/mol)-1m-1 (base 10)", "(micromol/mol)-1m-1 (base 10)"),
        ("ARBITRARY  UNITS", "arbitrary units"),
        ("log(1/R)", "log(1/r)"),
        ("", "unknown"),
    ],
)
def test_units_of_the_values(read, words, expected):
    assert read(spectrum(BAND, YUNITS=words)).value_unit == expected


def test_raman(read):
    ds = read(spectrum(BAND, DATA_TYPE="RAMAN SPECTRUM"))
    assert (ds.axis_name, ds.axis_unit) == ("Raman shift", "cm-1")


def test_samples_hold_what_the_header_says(read):
    ds = read(spectrum(BAND, TITLE="ethanol", CAS_REGISTRY_NO="64-17-5", MOLFORM=" C2 H6 O", STATE="gas", OWNER=""))
    row = ds.samples.iloc[0]
    assert row["title"] == "ethanol" and row["cas"] == "64-17-5" and row["molform"] == "C2 H6 O"
    assert row["state"] == "gas" and row["origin"] == "tests" and row["data_type"] == "INFRARED SPECTRUM"
    assert not {"owner", "date", "names", "block"} & set(ds.samples), "columns without a value"
    assert ds.name == "ethanol" and re.fullmatch(r"file \d+\.jdx", ds.notes["file"])


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_labels_however_they_are_written(read, line_end):
    text = spectrum(BAND, "DIFDUP")
    for label, other in {
        "DATA TYPE": "Data_Type ", "FIRSTX": "First-X", "NPOINTS": " n points", "XYDATA": "XY DATA", "YUNITS": "Y/Units"
    }.items():  # fmt: skip
        text = text.replace(f"##{label}=", f"##{other}=")
    text = text.replace("##XFACTOR", " \t##XFACTOR").replace("(X++(Y..Y))", " (x++ (y..Y)) ").replace("\n", line_end)
    ds = read(text)
    assert np.array_equal(ds.X[0], BAND * 0.001) and ds.value_unit == "absorbance"


def test_comments_blank_lines_and_long_entries(read):
    text = spectrum(BAND, SAMPLE_DESCRIPTION="first line $$ not this\n  second line\n")
    lines = text.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("##XYDATA")) + 2
    lines[at:at] = ["$$ a comment, with 1 2 3 and ? in it", "", "   "]
    lines[at - 2] += " $$ the table"
    lines[at - 1] += "$$ 4 5 6"
    ds = read("$$ a comment before all\n\n" + "\n".join(lines) + "\n\n$$ and after\n")
    assert np.array_equal(ds.X[0], BAND * 0.001) and ds.samples["sample"][0] == "first line\nsecond line"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_encodings(read, encoding):
    assert read(spectrum(BAND, TITLE="Crème brûlée, 20 °C").encode(encoding)).name == "Crème brûlée, 20 °C"


def test_decimal_commas_in_the_header(read):
    ds = read(spectrum(BAND, YFACTOR="0,001", FIRSTX="400,0", LASTX="520,0"))
    assert ds.axis[-1] == 520 and np.array_equal(ds.X[0], BAND * 0.001)


def test_a_second_table_of_peaks_is_no_spectrum(read):
    text = spectrum(BAND).replace("##XYDATA", "##PEAK TABLE=(XY..XY)\n410, 5\n##XYDATA")
    assert np.array_equal(read(text).X[0], BAND * 0.001)


def test_missing_first_and_last(read):
    assert (
        read(spectrum(BAND, FIRSTX=None, LASTX=None, DELTAX=2.0)).axis.tolist() == (400 + 2.0 * np.arange(61)).tolist()
    )
    with pytest.raises(ValueError, match="LASTX= and ##DELTAX= are both missing"):
        read(spectrum(BAND, LASTX=None))


# -- Several spectra in a file --------------------------------------------------------------------------------------

LINK = "##TITLE=all\n##JCAMP-DX=4.24\n##DATA TYPE= LINK\n##BLOCKS={}\n{}##END=\n"
STRUCTURE = "##TITLE=formula\n##JCAMP-CS=3.7\n##BLOCKID=2\n##ATOMLIST=\n 1 C\n 2 O\n##END=\n"
MASS = "##TITLE=mass\n##DATA TYPE=MASS SPECTRUM\n##XUNITS=M/Z\n##NPOINTS=1\n##XYPOINTS=(XY..XY)\n31,100\n##END=\n"
PEAKS = "##TITLE=peaks\n##DATA TYPE=INFRARED PEAK TABLE\n##NPOINTS=1\n##PEAK TABLE=(XY..XY)\n3100,100\n##END=\n"
NTUPLES = (
    "##TITLE=two\n##DATA TYPE=NMR SPECTRUM\n##NTUPLES=NMR SPECTRUM\n##DATA TABLE=(X++(R..R)), XYDATA\n1 2\n##END=\n"
)
OTHERS = {"structure": STRUCTURE, "mass spectrum": MASS, "peaks": PEAKS, "tuples": NTUPLES}


def linked(*blocks):
    return LINK.format(len(blocks), "".join(blocks))


def test_blocks_on_one_axis_are_rows(read):
    ds = read(linked(spectrum(BAND, TITLE="a", STATE="gas"), STRUCTURE, spectrum(-BAND, "DIF", TITLE="b"), PEAKS))
    assert np.array_equal(ds.X, [BAND * 0.001, -BAND * 0.001])
    assert ds.samples["title"].tolist() == ["a", "b"] and ds.samples["block"].tolist() == [0, 1]
    assert ds.samples["state"].tolist() == ["gas", ""] and ds.name == "a"


def test_links_within_links_and_files_one_after_the_other(read):
    nested = linked(spectrum(BAND, TITLE="a"), linked(spectrum(BAND, TITLE="b"), linked(spectrum(BAND, TITLE="c"))))
    assert read(nested).samples["title"].tolist() == ["a", "b", "c"]
    assert len(read(spectrum(BAND) * 3)) == 3


def test_descending_and_ascending_on_one_axis(read):
    ds = read(spectrum(BAND, yfactor=1) + spectrum(BAND[::-1], "DIF", first=520.0, step=-2.0, yfactor=1))
    assert ds.axis[0] == 400 and np.array_equal(ds.X, [BAND, BAND])


def test_blocks_on_other_axes_or_in_other_units(read):
    a, b = spectrum(BAND, TITLE="a"), spectrum(BAND[:31], TITLE="b", step=4.0)
    with pytest.raises(ValueError, match=r"do not share an axis.*61 channels 400 to 520.*31 channels.*block=0"):
        read(linked(a, b))
    assert read(linked(a, b), block=0).name == "a" and read(linked(a, STRUCTURE, b), block=np.int64(1)).name == "b"
    with pytest.raises(ValueError, match="do not share an axis"):
        read(linked(a, spectrum(BAND, first=400.1)))
    with pytest.raises(ValueError, match="transmittance"):
        read(linked(a, spectrum(BAND, YUNITS="TRANSMITTANCE")))


def test_one_block_is_read_though_another_is_damaged(read):
    text = linked(spectrum(BAND, NPOINTS=62), spectrum(BAND, TITLE="b"))
    assert read(text, block=1).name == "b"
    with pytest.raises(ValueError, match="spectrum 0: ##NPOINTS=62, but the table has 61"):
        read(text)


@pytest.mark.parametrize("block", [2, 10**9])
def test_no_such_block(read, block):
    with pytest.raises(ValueError, match=f"block={block}, but its spectra are numbered 0 to 1"):
        read(linked(spectrum(BAND), spectrum(BAND)), block=block)


@pytest.mark.parametrize("block", [-1, 0.0, "0", True])
def test_block_is_a_number(read, block):
    with pytest.raises(ValueError, match="block"):
        read(spectrum(BAND), block=block)


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_what_is_no_spectrum(read, other):
    assert len(read(linked(other, spectrum(BAND)))) == 1
    with pytest.raises(ValueError, match=r"has no spectrum: block 0"):
        read(other)


# -- Disagreement ---------------------------------------------------------------------------------------------------


def without_line(text, number):
    """The text without the line of that number in its table."""
    lines = text.split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith("##XYDATA"))
    del lines[at + number]
    return "\n".join(lines)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", [2, 5])
def test_a_lost_line(read, form, number):
    with pytest.raises(ValueError, match=r"NPOINTS|it repeats"):
        read(without_line(spectrum(BAND, form), number))


def test_a_lost_line_that_npoints_hides(read):
    """The header was made to fit, but the lines tell where they belong."""
    with pytest.raises(ValueError, match=r"line 17 begins at X = 442, but FIRSTX, LASTX and NPOINTS.* at 428"):
        read(without_line(spectrum(BAND, NPOINTS=54, LASTX=506), 3))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("keep", [0.01, 0.5, 0.8])
def test_a_file_that_was_cut_off(read, form, keep):
    text = spectrum(BAND, form)
    start = text.index("(X++") + 12
    with pytest.raises(ValueError, match=r"NPOINTS|nothing else|it repeats|'-' in the data"):
        read(text[: int(start + keep * (len(text) - start))])


def test_a_wrong_check_point(read):
    text = spectrum(BAND, "DIF")
    wrong = text.replace("\n494a8", "\n494a7")
    assert wrong != text
    with pytest.raises(ValueError, match="line 21: it repeats -17, but the differences before lead to -18"):
        read(wrong)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (dict(FIRSTY=0.5), "FIRSTY is 0.5 in the header and -0.02 in the table"),
        (dict(MINY=0.1), "MINY is 0.1 in the header"),
        (dict(MAXY=100), "MAXY is 100 in the header and 0.48"),
        (dict(MAXY="much"), "MAXY=much is not a finite number"),
        (dict(NPOINTS=None), "NPOINTS= is missing"),
        (dict(YUNITS="TRANSMITTANCE", YFACTOR=1, FIRSTY=None), "probably in percent"),
        (dict(LASTX=523.9), r"off by one point\): the header is followed"),
    ],
)
def test_odd_but_usable(write, labels, message):
    y = BAND + 100 if "YUNITS" in labels else BAND
    with pytest.warns(SpectrumWarning, match=message) as caught:
        ds = read_jcamp(write(spectrum(y, **labels)))
    assert len(caught) == 1 and len(ds.notes["remarks"]) == 1 and ds.X.shape == (1, 61)


def test_several_remarks_are_one_warning(write):
    with pytest.warns(SpectrumWarning, match=r"spectrum 0: MINY.*; spectrum 1: MAXY") as caught:
        read_jcamp(write(linked(spectrum(BAND, MINY=3), spectrum(BAND, MAXY=3))))
    assert len(caught) == 1 and caught[0].filename == __file__


def test_end_is_missing(write):
    with pytest.warns(SpectrumWarning, match="END= is missing"):
        ds = read_jcamp(write(spectrum(BAND).replace("##END=\n", "")))
    assert np.array_equal(ds.X[0], BAND * 0.001)


def test_rounded_headers_are_not_remarked_on(read):
    """Both the header's numbers and the table's are rounded, and lines may give X in whole numbers only."""
    y = np.array([0.0172, 0.5512, 0.3333])
    read(spectrum(y, yfactor=1, MINY=0.01715529, MAXY=0.55, FIRSTY=0.0, table="400 0.0172 0.5512 0.3333"))
    x = np.round(400 + 0.7 * np.arange(61)).astype(int)
    read(spectrum(BAND, first=400.0, step=0.7, table=table(BAND, x, "DIF")))


# -- Damage ---------------------------------------------------------------------------------------------------------

DAMAGED = {
    "missing value": (spectrum([1, 2, 3], table="400 1 ? 3"), r"line 15: '\?' stands for a missing value"),
    "missing value in pairs": (spectrum([1, 2], XYDATA="(XY..XY)", table="400 1\n402 ?"), r"line 16: '\?'"),
    "NaN": (spectrum([1, 2, 3], table="400 1 NaN 3"), "line 15: 'NaN' in the data is no number"),
    "nan, among codes": (spectrum([1, 2, 3], table="400A nan J"), "'nan' in the data is no number"),
    "inf": (spectrum([1, 2, 3], table="400 1 -inf 3"), "'-inf' in the data"),
    "a word": (spectrum([1, 2, 3], table="400 1 2 3\nZürich"), "line 16: '.' in the data"),
    "two points": (spectrum([1, 2, 3], table="400 1 2.0.1 3"), r"line 15: '2.0.1' in the data is not a finite number"),
    "a lone sign": (spectrum([1, 2, 3], table="400 1 - 3"), "'-' in the data is not a finite number"),
    "underscore": (spectrum([1, 2], table="400 1 1_0"), "'_' in the data"),
    "arabic digits": (spectrum([1, 2], table="400 1 ٣"), "in the data is no number"),
    "overflow": (spectrum([1, 2], table="400 1 1E999"), "'1E999' in the data is not a finite number"),
    "overflow by the factor": (spectrum([1, 2], YFACTOR=1e300, table="400 1 1E200", FIRSTY=None), "too large"),
    "letters in pairs": (spectrum([1, 2], XYDATA="(XY..XY)", table="400 A\n402 B"), "'A' in the data"),
    "odd pairs": (spectrum([1, 2], XYDATA="(XY..XY)", table="400 1 402"), "odd number of values, 3"),
    "no data": (spectrum([1, 2], table=""), "followed by no data"),
    "X alone": (spectrum([1, 2], table="400 1 2\n404"), "line 16: a line has an X value and nothing else"),
    "no X": (spectrum([1, 2], table="A1A2"), "line 15: a line begins without an X value"),
    "difference first": (spectrum([1, 2], table="400JK"), "line begins with a difference"),
    "repetition first": (spectrum([1, 2], table="400T"), "a repetition follows no value"),
    "repetition twice": (spectrum([1, 2], table="400ATT"), "a repetition follows no value"),
    "part of a repetition": (spectrum([1, 2], table="400AT.5"), "not by a whole number"),
    "NPOINTS": (spectrum(BAND, NPOINTS=62), "##NPOINTS=62, but the table has 61 points"),
    "NPOINTS is no number": (spectrum(BAND, NPOINTS="many"), "line 12: ##NPOINTS=many is not a finite number"),
    "NPOINTS is huge": (spectrum(BAND, NPOINTS="1e12"), "##NPOINTS=1000000000000, but"),
    "FIRSTX is NaN": (spectrum(BAND, FIRSTX="nan"), "##FIRSTX=nan is not a finite number"),
    "YFACTOR is infinite": (spectrum(BAND, YFACTOR="1e999"), "##YFACTOR=1e999 is not a finite number"),
    "YFACTOR is zero": (spectrum(BAND, YFACTOR=0), "cannot be zero"),
    "a flat axis": (spectrum(BAND, LASTX=400), "begins at X"),
    "axis to and fro": (spectrum([1, 2, 3], XYDATA="(XY..XY)", table="400 1 404 2 402 3", LASTX=402), "must ascend"),
    "two tables": (spectrum(BAND).replace("##END=", "##XYDATA=(X++(Y..Y))\n400 1"), "a second ##XYDATA="),
    "another form": (spectrum(BAND, XYDATA="(R++(A..A))"), "another form"),
    "web page": ("<!DOCTYPE html>\n<html># no #</html>", "no line begins with ##"),
    "empty": ("", "no line begins with ##"),
    "binary": (bytes(range(256)) * 10, "no spectrum"),
    "cut UTF-16": (b"\xff\xfe#\x00#", "no spectrum"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_a_value_error_that_names_the_file_and_the_place(read, content, message):
    with pytest.raises(ValueError, match=message) as error:
        read(content)
    assert re.match(r"file \d+\.jdx: ", str(error.value))


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.jdx"):
        read_jcamp(tmp_path / "nowhere.jdx")
    with pytest.raises(OSError, match="is not a file"):
        read_jcamp(tmp_path)
    if Path("/dev/zero").exists():
        with pytest.raises(OSError, match="is not a file"):
            read_jcamp("/dev/zero")
    with pytest.raises(ValueError, match="null"):
        read_jcamp("a\0b.jdx")


def test_a_huge_file_is_not_read(tmp_path):
    path = tmp_path / "huge.jdx"
    with path.open("wb") as file:
        file.truncate(10**11)  # a hole that takes no space on most disks
    with pytest.raises(ValueError, match="100,000,000,000 bytes"):
        read_jcamp(path)


BOMBS = {
    "NPOINTS": spectrum([1, 2], NPOINTS="1e12"),
    "repetition": spectrum([1, 1], NPOINTS=10**9, table="400AS000000000"),
    "repetition beyond 64 bits": spectrum([1, 1], NPOINTS=10**9, table=f"400AS{'0' * 400}"),
    "many repetitions": spectrum([1, 1], NPOINTS=10**9, table="\n".join(["400AS00000"] * 1000)),
    "many blocks of repetitions": spectrum([1] * 5 * 10**5, step=1.0, table="400AW00000", FIRSTX=400) * 1000,
    "titles": "##TITLE=" * 5000 + "##TITLE=\n" * 1_000_001,
    "hashes": "#" * 1_000_000,
    "blanks": (" " * 1000 + "##") * 1000,
    "one long number": spectrum([1, 2], table="400 1 " + "9" * 1_000_000),
    "one long label": "##" + "A" * 3_000_000 + "=\n",
    "long header number": spectrum([1, 2], NPOINTS="9" * 1_000_000),
    "blank lines": spectrum([1, 2], table="400 1 2" + "\n" * 3_000_000 + "?"),
}


SLOW = ("titles", "hashes", "blanks")  # traced, they take 4 to 10 s


@pytest.mark.parametrize(
    "content", [pytest.param(v, id=k, marks=[pytest.mark.slow] * (k in SLOW)) for k, v in BOMBS.items()]
)
def test_time_and_memory_are_bounded(write, content):
    path = write(content)
    size = len(content)
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(ValueError):
            read_jcamp(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.perf_counter() - start < 60, "one takes a few seconds here, traced, on a slow core"
    assert peak < 150e6 + 60 * size, "a fixed sum, or a multiple of what is on disk"


@settings(deadline=None)
@given(
    content=st.binary(max_size=300)
    | st.text(max_size=300).map(str.encode)
    | st.text("##=TILEXYDAPON()+. \n0123456789AJSaj%@?-,;$", max_size=300).map(str.encode)
)
def test_anything_gives_spectra_or_a_value_error(tmp_path_factory, content):
    only_known_errors(tmp_path_factory.getbasetemp() / "anything.jdx", content)


@settings(deadline=None)
@given(data=st.data())
def test_mutations_of_good_files(tmp_path_factory, data):
    y = data.draw(st.sampled_from([BAND, STEPS]))
    form = data.draw(st.sampled_from(FORMS))
    good = bytearray(linked(spectrum(y, form, MINY=-1), spectrum(y[:9], XYDATA="(XY..XY)", table="1 2, 3 4")).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(good) - 1))
        stop = at + data.draw(st.integers(0, 12))
        good[at:stop] = data.draw(
            st.binary(max_size=8) | st.text("0123456789.eE+-#=\nAJSaj%@", max_size=8).map(str.encode)
        )
    only_known_errors(tmp_path_factory.getbasetemp() / "mutated.jdx", bytes(good))


def only_known_errors(path, content):
    """Reading succeeds with finite values, or raises ValueError or OSError; no other warning than ours."""
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SpectrumWarning)
        with contextlib.suppress(ValueError, OSError):
            ds = read_jcamp(path)
            assert np.isfinite(ds.X).all() and np.isfinite(ds.axis).all() and (np.diff(ds.axis) > 0).all()


# -- Real files -----------------------------------------------------------------------------------------------------


def header(path):
    """Labels of the last spectrum of a real file, read in the plainest way."""
    text = path.read_text("latin-1")
    labels = {}
    for line in text.splitlines():
        if line.startswith("##") and "=" in line:
            label, value = line[2:].split("=", 1)
            labels[label.strip().replace(" ", "")] = value.split("$$")[0].strip()
    return labels


def real_files():
    return sorted(REAL.glob("*.jdx")) if REAL.is_dir() else []


@needs_real
def test_all_real_files_are_here():
    assert len(real_files()) == 24


@needs_real
@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.stem)
def test_real_files_are_as_their_headers_say(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        ds = read_jcamp(path)
    labels = header(path)
    assert ds.X.shape == (path.read_text("latin-1").count("\n##XY"), int(labels["NPOINTS"]))
    ends = sorted([float(labels["FIRSTX"]), float(labels["LASTX"])])
    assert ds.axis[[0, -1]] == pytest.approx(ends, abs=1e-9)
    assert ds.axis_unit == "cm-1" and ds.axis_name == "wavenumber"
    assert ds.value_unit == labels["YUNITS"].lower() and ds.y.shape == (len(ds), 0)
    if labels["YUNITS"] in ("ABSORBANCE", "TRANSMITTANCE"):
        assert ds.value_unit in ("absorbance", "transmittance")
    low, high = ds.X[-1].min(), ds.X[-1].max()
    # headers are rounded, in part to three digits; MAXX and MINY of NIST's quantitative spectra are off by more
    assert high == pytest.approx(float(labels["MAXY"]), rel=2e-3, abs=0.01)
    assert low == pytest.approx(float(labels["MINY"]), rel=0.01, abs=0.01)
    if labels.get("CASREGISTRYNO"):
        assert ds.samples["cas"][0] == labels["CASREGISTRYNO"] and ds.samples["state"][0] == labels["STATE"]


QUANTITATIVE = (
    "1,3-butadiene 2-butanone acetone acetonitrile dichloromethane ethyl_acetate ethyl_benzene methyl_bromide "
    "vinyl_acetate"
)
ODD = {  # what we remark on, and nothing else
    name.replace("_", " "): "2350 of 2351 lines are off by one point" for name in QUANTITATIVE.split()
} | {"ethanol2": "transmittance up to 94.7 is probably in percent"}


@needs_real
@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.stem)
def test_remarks_on_real_files(path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ds = read_jcamp(path)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == (path.stem in ODD) == ("remarks" in ds.notes)
    assert ODD.get(path.stem, "") in "".join(messages)


@needs_real
@pytest.mark.parametrize("path", real_files(), ids=lambda path: path.stem)
def test_real_files_against_the_package_jcamp(path):
    """It reads the forms that these files are in as we do; its axis is FIRSTX to LASTX as well."""
    oracle = pytest.importorskip("jcamp", reason="the package jcamp, our oracle, is not installed")
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = oracle.readfile(str(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        ds = read_jcamp(path)
    parts = theirs.get("children", [theirs])
    assert len(parts) == len(ds)
    for row, part in zip(ds.X, parts):
        order = np.argsort(part["x"])
        assert np.array_equal(row, part["y"][order])
        np.testing.assert_allclose(ds.axis, part["x"][order], rtol=1e-14)  # two ways to space points evenly


@pytest.mark.parametrize("form", ["AFFN", "PAC", "SQZ", "DIF"])
@pytest.mark.parametrize("y", [BAND, STEPS], ids=["band", "steps"])
def test_made_up_files_against_the_package_jcamp(write, y, form):
    """So that encoder and reader cannot share a mistake. Repetitions are left out: there the package is wrong."""
    oracle = pytest.importorskip("jcamp", reason="the package jcamp, our oracle, is not installed")
    path = write(spectrum(y, form))
    theirs, ds = oracle.readfile(str(path)), read_jcamp(path)
    assert np.array_equal(ds.X[0], theirs["y"]) and np.array_equal(ds.axis, theirs["x"])
