"""Users' infrared spectra: every form of the same spectrum comes out the same, and what cannot be read is refused."""

import os
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import SpectralDataset
from deep_chemometrics.data.broadening import broaden
from deep_chemometrics.infrared import prepare_infrared
from deep_chemometrics.infrared.preparation import GROUP_AXIS, PREPARED, UNITS, normalise_infrared

FINE = np.arange(450.0, 3999, 0.7)
CM = dict(axis_name="wavenumber", axis_unit="cm-1")


@pytest.fixture(scope="module")
def absorbance():
    """Two spectra of a few bands, between 0.02 and 1.3."""
    places, areas = [[800, 1050, 1740, 2950], [700, 1640, 3350]], [[9, 16, 24, 11], [20, 9, 35]]
    return 0.02 + broaden(places, areas, FINE, 20, "gauss")


@pytest.fixture(scope="module")
def ds(absorbance):
    return SpectralDataset(X=absorbance, axis=FINE, **CM, name="two", samples={"sample": ["a", "b"]}, y={"t": [1, 0]})


@pytest.fixture(scope="module")
def ready(ds):
    return prepare_infrared(ds)


def without_warnings(*arguments, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        return prepare_infrared(*arguments, **keywords)


# -- Normalisation ---------------------------------------------------------------------------------------------------


def test_normalised_of_both_precisions(absorbance):
    X = np.stack([np.interp(GROUP_AXIS, FINE, x) for x in absorbance])
    double, single = normalise_infrared(X), normalise_infrared(X.astype("float32"))
    assert single.dtype == np.float32 and np.abs(double - single).max() < 1e-5
    assert np.allclose(double.max(axis=1), 1) and np.allclose(np.percentile(double, 10, axis=1), 0, atol=1e-12)


def test_rows_do_not_know_of_each_other(absorbance):
    X = np.repeat(np.stack([np.interp(GROUP_AXIS, FINE, x) for x in absorbance]), 300, axis=0)
    assert np.allclose(normalise_infrared(X)[[0, 599]], normalise_infrared(X[[0, 599]]), atol=1e-12)


def test_without_width_and_on_another_axis(absorbance):
    axis = np.arange(600.0, 3500, 2)
    X = np.stack([np.interp(axis, FINE, x) for x in absorbance])
    found = normalise_infrared(X, axis, width=0, percentile=0)
    low, high = X.min(axis=1, keepdims=True), X.max(axis=1, keepdims=True)
    assert np.allclose(found, (X - low) / (high - low))


def test_flat_and_falling_rows():
    X = np.stack([np.full(850, 5.0), np.zeros(850), np.exp(-(((GROUP_AXIS - 1700) / 30) ** 2))])
    with pytest.warns(SpectrumWarning, match="rows 0, 1"):
        found = normalise_infrared(X)
    assert not found[:2].any() and found[2].max() == 1
    with pytest.warns(SpectrumWarning, match="row 0"):
        assert not normalise_infrared(np.full((1, 850), 5, "float32")).any()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"axis": GROUP_AXIS[:-1]}, "849"),
        ({"axis": GROUP_AXIS**1.1}, "evenly"),
        ({"percentile": 101}, "percentile"),
        ({"width": -1}, "width"),
        ({"X": np.full((1, 850), np.inf)}, "infinity"),
    ],
)
def test_normalise_refuses(wrong, message):
    with pytest.raises(ValueError, match=message):
        normalise_infrared(**{"X": np.ones((1, 850))} | wrong)


# -- The same spectrum in many forms ---------------------------------------------------------------------------------


def test_prepared(ds, ready):
    assert ready.X.shape == (2, 850) and np.array_equal(ready.axis, GROUP_AXIS) and ready.value_unit == PREPARED
    assert ready.samples["sample"].tolist() == ["a", "b"] and ready.y["t"].tolist() == [1, 0]
    assert prepare_infrared(ready) is ready
    coarse = np.stack([np.interp(GROUP_AXIS, FINE, x) for x in ds.X])
    assert np.abs(ready.X - normalise_infrared(coarse)).max() < 0.03  # the channel's own 4 cm-1 widen a little


@pytest.mark.parametrize("unit", UNITS)
def test_values_of_each_unit(ds, ready, unit):
    other = ds.to_value_unit(unit)
    assert np.abs(prepare_infrared(other).X - ready.X).max() < 1e-9
    assert np.abs(prepare_infrared(replace(other, value_unit="???"), unit=unit).X - ready.X).max() < 1e-9


@pytest.mark.parametrize(
    "unit", ["(micromol/mol)-1m-1 (base 10)", "km/mol per cm-1", "L mol-1 cm-1", "cm2/molecule", "molar absorptivity"]
)
def test_what_is_proportional(ds, ready, unit):
    assert np.abs(prepare_infrared(replace(ds, X=3e-4 * ds.X, value_unit=unit)).X - ready.X).max() < 1e-9


@pytest.mark.parametrize("unit", ["um", "nm"])
def test_wavelengths(ds, ready, unit):
    """On an axis in um the polygon is straight in another sense: points are 0.7 cm-1 apart, so hardly."""
    assert np.abs(prepare_infrared(ds.to_axis_unit(unit)).X - ready.X).max() < 1e-6


@pytest.mark.parametrize("step", [1, 3, 10])
def test_points_of_any_distance(ds, ready, step):
    """0.7 to 7 cm-1: of a band 20 wide, smoothed to 26, little is lost."""
    few = replace(ds, X=ds.X[:, ::step], axis=FINE[::step])
    assert np.abs(prepare_infrared(few).X - ready.X).max() < 0.03


def test_percent_that_does_not_say_so(ds, ready):
    percent = replace(ds.to_value_unit("transmittance (%)"), value_unit="transmittance")
    with pytest.warns(SpectrumWarning, match="read as percent"):
        assert np.abs(prepare_infrared(percent).X - ready.X).max() < 1e-9
    fraction = replace(ds.to_value_unit("transmittance"), value_unit="transmittance (%)")
    with pytest.warns(SpectrumWarning, match="read as a fraction"):
        assert np.abs(prepare_infrared(fraction).X - ready.X).max() < 1e-9


def test_black_bands_are_cut_off(ds):
    thick = replace(ds, X=5 * ds.X).to_value_unit("transmittance")
    thick = replace(thick, X=np.where(thick.X < 0.005, 0, thick.X))
    with pytest.warns(SpectrumWarning, match="0.01: raised"):
        found = prepare_infrared(thick).X
    assert np.isfinite(found).all() and (found[0] > 0.95).sum() >= 2


def test_range_that_is_missing(ds, ready):
    with pytest.warns(SpectrumWarning, match="nothing below 600 and above 3500"):
        found = prepare_infrared(ds.crop(600, 3500)).X
    inside = (GROUP_AXIS > 620) & (GROUP_AXIS < 3480)
    assert not found[:, (GROUP_AXIS < 598) | (GROUP_AXIS > 3502)].any()
    assert np.abs(found - ready.X)[:, inside].max() < 0.02  # another percentile
    with pytest.warns(SpectrumWarning) as caught:
        prepare_infrared(ds.crop(None, 3500))
    assert "below" not in str(caught[0].message)


# -- What is refused -------------------------------------------------------------------------------------------------


def test_wrong_labels(ds, ready):
    for unit in ("transmittance", "transmittance (%)"):
        other = ds.to_value_unit(unit)
        with pytest.raises(ValueError, match=r"rows 0, 1: labelled absorbance.*unit='transmittance"):
            prepare_infrared(replace(other, value_unit="absorbance"))
        assert np.abs(prepare_infrared(replace(other, value_unit="absorbance"), unit=unit).X - ready.X).max() < 1e-9
    with pytest.raises(ValueError, match="labelled transmittance, but looks like absorbance"):
        prepare_infrared(replace(ds, value_unit="transmittance"))


def test_one_wrong_row_of_many(ds):
    mixed = ds.X.copy()
    mixed[1] = 10.0 ** -mixed[1]
    with pytest.raises(ValueError, match="row 1: labelled absorbance"):
        prepare_infrared(replace(ds, X=mixed))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(value_unit="unknown"), "neither absorbance nor transmittance"),
        (dict(axis_name="Raman shift"), "Raman"),
        (dict(axis_name="abscissa", axis_unit="points"), "points"),
        (dict(axis_name="wavelength", axis_unit="nm"), "really in nm"),
    ],
)
def test_fields_that_make_no_sense(ds, change, message):
    with pytest.raises(ValueError, match=message):
        prepare_infrared(replace(ds, **change))


@pytest.mark.parametrize("limits", [(750, None), (None, 3100), (1000, 2000)])
def test_too_little_of_the_range(ds, limits):
    with pytest.raises(ValueError, match="at least 700 to 3200"):
        prepare_infrared(ds.crop(*limits))


def test_points_too_far_apart(ds):
    with pytest.raises(ValueError, match="apart"):
        prepare_infrared(replace(ds, X=ds.X[:, ::70], axis=FINE[::70]))


def test_sources_that_are_none(ds, tmp_path):
    with pytest.raises(ValueError, match="folder"):
        prepare_infrared(tmp_path)
    with pytest.raises(ValueError, match="ndarray"):
        prepare_infrared(ds.X)
    with pytest.raises(ValueError, match="read already"):
        prepare_infrared(ds, axis_unit="cm-1")
    with pytest.raises(ValueError, match="unit"):
        prepare_infrared(ds, unit="percent")
    with pytest.raises(OSError):
        prepare_infrared(tmp_path / "nothing.jdx")


# -- Files -----------------------------------------------------------------------------------------------------------


def test_text_file(ds, ready, tmp_path):
    rows = [f"{x:.1f},{y:.6f}" for x, y in zip(FINE, ds.X[0])]
    (tmp_path / "one.csv").write_text("\n".join(["wavenumber / cm-1,absorbance", *rows]), encoding="utf-8")
    assert np.abs(prepare_infrared(tmp_path / "one.csv", unit="absorbance").X - ready.X[:1]).max() < 1e-3
    (tmp_path / "two.csv").write_text("\n".join(["x,y", *rows]), encoding="utf-8")
    found = prepare_infrared(str(tmp_path / "two.csv"), unit="absorbance", axis_unit="cm-1")
    assert np.abs(found.X - ready.X[:1]).max() < 1e-3


needed = pytest.mark.skipif(
    not os.environ.get("DC_TESTDATA"), reason="DC_TESTDATA is not set: no measured files to prepare"
)
UNUSABLE = {"example_compound_file.jdx", "example_multiline_datasets.jdx"}  # near infrared; not a compound's spectrum


@needed
def test_measured_files():
    files = sorted(Path(os.environ["DC_TESTDATA"], "gas_phase_ir").glob("*.jdx"))
    assert len(files) == 24
    for path in files:
        if path.name in UNUSABLE:
            continue
        found = without_warnings(path)
        assert found.X.shape == (1, 850) and found.X.max() == 1 and found.X.min() > -0.5, path.name


@needed
def test_measured_file_of_another_range():
    path = Path(os.environ["DC_TESTDATA"], "gas_phase_ir", "example_compound_file.jdx")
    with pytest.raises(ValueError, match="700 to 3200"):
        without_warnings(path)
