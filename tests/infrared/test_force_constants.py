"""Scaled force constants: classes of bonds, what scaling leaves alone, and what is refused."""

import numpy as np
import pytest

pytest.importorskip("tblite", reason="tblite has no wheels for Windows")

from deep_chemometrics.infrared import compute_ir
from deep_chemometrics.infrared.force_constants import (
    BOND_CLASSES,
    ScaleFactors,
    bond_classes,
    fit_factors,
    scaled_modes,
    scaled_spectra,
)

AXIS = np.arange(500.0, 3900, 20)


@pytest.fixture(scope="module")
def acid():
    return compute_ir("CC(=O)O")


@pytest.mark.parametrize(
    ("smiles", "heavy"),
    [
        ("CCl", ["C-Cl"]),
        ("CBr", ["C-Cl"]),
        ("CF", ["C-F"]),
        ("C=C", ["C=C"]),
        ("C=N", ["rest"]),
        ("CS(C)=O", ["single", "single", "rest"]),
        ("C#C", ["triple"]),
        ("[C-]#[N+]C", ["triple", "single"]),
        ("ClN", ["single"]),
        ("C[N+](=O)[O-]", ["single", "N=O", "N=O"]),
        ("CN=O", ["single", "N=O"]),
        ("c1ccoc1", ["C=C"] * 5),
    ],
)
def test_classes_of_bonds(smiles, heavy):
    found = bond_classes(smiles)
    assert [name for name in found if not name.endswith("-H")] == heavy


def test_classes_stand_in_the_order_of_the_bonds(acid):
    assert len(bond_classes("CC(=O)O")) == len(acid.bonds)
    ends = [tuple(sorted(acid.numbers[pair].tolist())) for pair in acid.bonds]
    assert ends[bond_classes("CC(=O)O").index("C=O")] == (6, 8)
    assert ends[bond_classes("CC(=O)O").index("O-H")] == (1, 8)


def test_factors_of_one_change_nothing(acid):
    one = scaled_modes(acid, ScaleFactors(dict.fromkeys((*BOND_CLASSES, "rest"), 1.0), {"C=O": 1.0}))
    assert np.allclose(one.frequencies, acid.frequencies) and np.allclose(one.intensities, acid.intensities)
    assert np.allclose(one.kinetic, acid.modes.kinetic, atol=1e-6)


def test_a_stiffer_bond_lowers_no_frequency(acid):
    """A positive change of the Hessian raises every eigenvalue, or leaves it (Weyl)."""
    for name in ("C-H", "O-H", "C=O", "single"):
        shift = scaled_modes(acid, ScaleFactors({name: 1.2}, {})).frequencies - acid.frequencies
        assert shift.min() > -1e-6 and shift.max() > 20


def test_an_intensity_factor_changes_its_own_stretch(acid):
    modes = scaled_modes(acid, ScaleFactors({}, {"O-H": 3.0}))
    gain = modes.intensities / acid.intensities
    assert gain.argmax() == len(gain) - 1 and 2.8 < gain[-1] <= 3 + 1e-9, "the O-H stretch, nearly alone"
    assert (gain > 1 - 1e-9).all() and np.median(gain) < 1.1
    assert np.allclose(modes.absorbed.sum(axis=1), modes.intensities)


@pytest.mark.parametrize(
    ("force_constants", "intensities", "message"),
    [
        ({"C-S": 1.0}, {}, "unknown class"),
        ({"C-H": 0.0}, {}, "above 0"),
        ({}, {"C-H": -1.0}, "above 0"),
        ({"C-H": np.nan}, {}, "above 0"),
    ],
)
def test_wrong_factors(force_constants, intensities, message):
    with pytest.raises(ValueError, match=message):
        ScaleFactors(force_constants, intensities)


def test_molecules_and_spectra_must_be_as_many(acid):
    with pytest.raises(ValueError, match="1 molecules"):
        fit_factors([acid], np.zeros((2, len(AXIS))), AXIS)


def test_a_fit_without_evidence_stays_near_one(acid):
    """Nothing in the molecule tells of C-F: the penalty keeps its factor."""
    measured = scaled_spectra([acid], ScaleFactors({"C=O": 0.95}, {}), AXIS, 30)
    start = ScaleFactors({}, {})
    fitted, r = fit_factors([acid], measured, AXIS, start, ("C=O", "C-F"), (), widths=(60.0,))
    assert abs(np.log(fitted.force_constants["C-F"])) < 0.02 and fitted.force_constants["C=O"] < 0.99 and r[0] > 0.9
