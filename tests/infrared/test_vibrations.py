"""Normal modes and derivatives: forces as slopes of the energy, exact differences, wrong input."""

import numpy as np
import pytest

pytest.importorskip("tblite", reason="tblite has no wheels for Windows")

from deep_chemometrics.infrared.vibrations import differentiate, normal_modes, xtb_forces


def test_forces_are_the_slope_of_the_energy():
    forces, step = xtb_forces([8, 1, 1], accuracy=0.01), 1e-3
    positions = np.array([[0, 0, 0], [1.8, 0.1, 0], [-0.4, 1.7, 0.2]])
    gradient = forces(positions)[1]
    for atom, axis in ((0, 0), (1, 1), (2, 2)):
        moved = np.zeros((3, 3))
        moved[atom, axis] = step
        slope = (forces(positions + moved)[0] - forces(positions - moved)[0]) / (2 * step)
        assert abs(slope - gradient[atom, axis]) < 2e-5


def test_elements_without_parameters_and_wrong_shapes():
    with pytest.raises(ValueError, match="elements 1"):
        xtb_forces([88])
    with pytest.raises(ValueError, match="at least two atoms"):
        normal_modes(np.eye(3), np.eye(3), [1.0], [[0, 0, 0]])
    with pytest.raises(ValueError, match="hessian contains NaN"):
        normal_modes(np.full((6, 6), np.nan), np.zeros((6, 3)), [1, 1], np.eye(2, 3))


def test_differences_of_a_quadratic_are_exact():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    slopes = rng.normal(size=(6, 3))

    def forces(x):
        return 0.0, (root @ root.T @ x.ravel()).reshape(x.shape), x.ravel() @ slopes

    hessian, found = differentiate(forces, np.zeros((2, 3)))
    assert np.allclose(hessian, root @ root.T) and np.allclose(found, slopes)
