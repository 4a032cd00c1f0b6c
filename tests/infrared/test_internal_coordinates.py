"""Scaled internal coordinates: classes, completeness of the coordinates, what factors change, and what is refused."""

import numpy as np
import pytest

pytest.importorskip("tblite", reason="tblite has no wheels for Windows")

from deep_chemometrics.infrared import compute_ir
from deep_chemometrics.infrared.internal_coordinates import (
    COORDINATE_CLASSES,
    FITTED_COORDINATES,
    CoordinateFactors,
    internal_coordinates,
    rescaled_modes,
)


@pytest.fixture(scope="module")
def acid():
    return compute_ir("CC(=O)O")


@pytest.mark.parametrize(
    ("smiles", "classes"),
    [
        ("CC#N", {"C-C", "C#N", "C-H", "H-C-H", "X-C-H", "linear bend"}),
        ("CO", {"C-O", "O-H", "C-H", "H-C-H", "X-C-H", "C-O-H", "torsion"}),
        ("C=C", {"C=C", "=C-H", "=C-H bend", "=C-H wag", "torsion C=C"}),
    ],
)
def test_coordinates_span_all_vibrations(smiles, classes):
    ir = compute_ir(smiles)
    rows, found = internal_coordinates(smiles, ir.positions)
    assert set(found) == classes
    assert np.linalg.matrix_rank(rows, tol=1e-6) == len(ir.frequencies)


def test_moving_and_turning_a_molecule_changes_no_coordinate(acid):
    rows, _ = internal_coordinates("CC(=O)O", acid.positions)
    assert np.abs(rows @ np.tile([1.0, 2.0, -1.0], 8)).max() < 1e-6
    assert np.abs(rows @ np.cross([0.3, -0.5, 0.8], acid.positions).ravel()).max() < 1e-5


def test_a_row_is_the_change_of_its_coordinate(acid):
    """The C=O bond grows by what its row says."""
    rows, classes = internal_coordinates("CC(=O)O", acid.positions)
    step = 1e-4 * np.random.default_rng(0).normal(size=acid.positions.shape)
    i, j = acid.bonds[classes.index("C=O")]

    def length(x):
        return np.linalg.norm(x[i] - x[j])

    change = length(acid.positions + step) - length(acid.positions)
    assert np.isclose(rows[classes.index("C=O")] @ step.ravel(), change, rtol=1e-3)


def test_fitted_factors_mend_known_errors(acid):
    """C=O of acids lies near 1780 cm-1 in the gas; it is computed too high. Parts of atoms add up."""
    modes = rescaled_modes(acid)
    strongest = modes.frequencies[modes.intensities.argmax()]
    assert 1740 < strongest < 1800
    assert np.allclose(modes.absorbed.sum(axis=1), modes.intensities)
    assert set(FITTED_COORDINATES.force_constants) == set(FITTED_COORDINATES.dipoles) == set(COORDINATE_CLASSES)


@pytest.mark.parametrize(
    ("force_constants", "dipoles", "message"),
    [
        ({"C-S": 1.0}, {}, "unknown class"),
        ({}, {"C=S": 1.0}, "unknown class"),
        ({"C-H": 0.0}, {}, "above 0"),
        ({"C-H": np.nan}, {}, "is nan"),
        ({}, {"C-H": np.inf}, "is inf"),
    ],
)
def test_wrong_factors(force_constants, dipoles, message):
    with pytest.raises(ValueError, match=message):
        CoordinateFactors(force_constants, dipoles)


def test_positions_must_fit():
    with pytest.raises(ValueError, match="has 6 atoms"):
        internal_coordinates("CO", np.zeros((5, 3)))
    with pytest.raises(ValueError):
        internal_coordinates("no molecule", np.zeros((5, 3)))
