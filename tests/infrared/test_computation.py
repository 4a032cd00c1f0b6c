"""Computed spectra: another program's numbers, sums, isotopes, odd input, and a clear word without the extra."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tblite", reason="tblite has no wheels for Windows")

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.infrared import GROUP_SMARTS, computation, compute_ir
from deep_chemometrics.infrared.line_list import collect_lines
from deep_chemometrics.infrared.vibrations import BOHR, normal_modes, relax, xtb_forces

ROOT = Path(__file__).resolve().parents[2]
AXIS = np.arange(500.0, 3900, 4)

# xtb 6.5.1 (an implementation of its own), --ohess vtight, from our geometries: frequencies in cm-1
XTB = {
    "O": [1539.57, 3643.88, 3652.22],
    "O=C=O": [600.23, 600.27, 1424.85, 2593.19],
    "C=O": [1085.38, 1202.83, 1489.54, 1806.13, 2792.47, 2838.43],
    "CC#N": [387.78, 387.78, 993.66, 998.59, 998.6, 1367.57, 1426.83, 1426.89, 2421.85, 3018.56, 3018.69, 3021.09],
    "C=CCl": [373.22, 600.91, 695.42, 856.39, 989.85, 1013.64, 1229.25, 1368.46, 1665.01, 3075.91, 3115.67, 3147.9],
    "CC(=O)Cl": [105.53, 334.32, 443.51, 499.56, 598.46, 973.98, 992.69, 1078.96, 1363.13, 1425.97, 1428.75, 1847.76,
                 3029.4, 3037.79, 3049.0],
}  # fmt: skip
XTB_TOTAL = {"O": 157.0, "O=C=O": 1183.6, "C=O": 362.7, "CC#N": 310.3, "C=CCl": 162.6, "CC(=O)Cl": 872.9}  # km/mol


@pytest.fixture(scope="module")
def computed():
    return {smiles: compute_ir(smiles) for smiles in XTB}


@pytest.mark.parametrize("smiles", XTB)
def test_as_the_program_xtb(computed, smiles):
    ir = computed[smiles]
    assert np.abs(ir.frequencies - XTB[smiles]).max() < 3
    # single intensities move between neighbouring C-H modes, and xtb's electrons are converged less well: sums, to 10 %
    assert abs(ir.intensities.sum() / XTB_TOTAL[smiles] - 1) < 0.1
    assert ir.modes.n_imaginary == 0


@pytest.mark.parametrize("smiles", XTB)
def test_sums(computed, smiles):
    ir = computed[smiles]
    assert np.allclose(ir.modes.kinetic.sum(axis=1), 1) and np.allclose(ir.modes.absorbed.sum(axis=1), ir.intensities)
    assert (ir.group_shares >= 0).all(axis=None) and (ir.group_shares < 1 + 1e-9).all(axis=None)
    assert list(ir.group_shares) == list(ir.group_intensities) == list(GROUP_SMARTS)
    orthonormal = ir.modes.displacements.reshape(len(ir.frequencies), -1)
    assert np.allclose(orthonormal @ orthonormal.T, np.eye(len(orthonormal)))


@pytest.mark.parametrize("smiles", XTB)
def test_moving_and_turning_cost_nothing(computed, smiles):
    """Not enforced: moving the whole molecule causes no force and no dipole moment; rotation is projected out."""
    ir, n = computed[smiles], len(computed[smiles].numbers)
    assert np.abs(ir.hessian.reshape(3 * n, n, 3).sum(axis=1)).max() < 1e-4
    assert np.abs(ir.dipole_derivatives.reshape(n, 3, 3).sum(axis=0)).max() < 5e-4
    assert np.abs(ir.hessian - ir.hessian.T).max() < 2e-4 and ir.modes.external < 60


def test_a_linear_molecule_has_one_mode_more(computed):
    assert len(computed["O=C=O"].frequencies) == 4 and len(computed["O"].frequencies) == 3
    assert len(compute_ir("C#C").frequencies) == 7 and len(compute_ir("[H][H]").frequencies) == 1


def test_turned_and_moved_it_stays_the_same(computed):
    ir, rng = computed["C=O"], np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    big = np.kron(np.eye(4), turn)
    other = normal_modes(
        big @ ir.hessian @ big.T, big @ ir.dipole_derivatives @ turn.T, ir.masses, ir.positions @ turn.T + 5
    )
    for name in ("frequencies", "intensities", "kinetic", "absorbed"):
        assert np.allclose(getattr(other, name), getattr(ir.modes, name), rtol=1e-6, atol=1e-6)


def test_isotopes_shift_frequencies():
    """Water and heavy water: O-H to O-D by about the root of the reduced masses, 0.73, at the same force constants."""
    light, heavy = compute_ir("O"), compute_ir("[2H]O[2H]")
    assert np.allclose(heavy.masses[[0, 2]], 2.014, atol=1e-3)
    assert np.allclose(heavy.frequencies / light.frequencies, 0.73, atol=0.015)


def test_isotope_shifts_are_the_shares_of_the_kinetic_energy(computed):
    ir = computed["CC(=O)Cl"]
    for atom in range(4):
        masses = ir.masses.copy()
        masses[atom] *= 1 + 1e-5
        shifted = normal_modes(ir.hessian, ir.dipole_derivatives, masses, ir.positions)
        fall = 2e5 * (1 - shifted.frequencies / ir.frequencies)
        assert np.allclose(fall[1:], ir.modes.kinetic[1:, atom], atol=5e-3)


def test_the_same_again():
    first, second = compute_ir("CCO"), compute_ir("CCO")
    assert np.array_equal(first.positions, second.positions) and np.array_equal(first.frequencies, second.frequencies)


@pytest.mark.parametrize(
    ("smiles", "message"),
    [
        ("[Na+].[Cl-]", "several parts"),
        ("CCO.O", "several parts"),
        ("C[NH3+]", r"charge \+1"),
        ("CC(=O)[O-]", "charge -1"),
        ("[CH3]", "radical"),
        ("C[O]", "radical"),
        ("*CC", "place-holder"),
        ("[He]", "single atom"),
        ("[Rn]", "single atom"),
        ("F[Ra]F", "no parameters"),
        ("nonsense", "is no molecule"),
        ("", "is no molecule"),
    ],
)
def test_what_cannot_be_computed_is_said(smiles, message):
    with pytest.raises(ValueError, match=message):
        compute_ir(smiles)


def test_other_options_are_checked():
    with pytest.raises(ValueError, match="conformers"):
        compute_ir("C", conformers=0)


def test_imaginary_modes_are_reported(monkeypatch):
    """Ammonia held flat is a saddle; told that every push leads back there, it is kept and said."""
    flat = np.array([[0, 0, 0], [1, 0, 0], [-0.5, 0.75**0.5, 0], [-0.5, -(0.75**0.5), 0]]) * 1.0
    monkeypatch.setattr(computation, "_conformer", lambda *_: flat)
    ammonia = compute_ir("N")  # it is pushed off the saddle, and comes to rest as a pyramid
    assert ammonia.modes.n_imaginary == 0

    saddle = relax(xtb_forces([7, 1, 1, 1]), flat / BOHR, np.array([0.71, 0.31, 0.31, 0.31]) / BOHR)
    monkeypatch.setattr(computation, "relax", lambda *_: saddle)
    with pytest.warns(SpectrumWarning, match="'N' has imaginary modes"):
        kept = compute_ir("N")
    assert kept.modes.n_imaginary == 1 and kept.frequencies[0] < -100 and np.array_equal(kept.positions, saddle)
    assert np.isfinite(kept.spectrum(AXIS)).all()
    library = collect_lines(["N"], [kept.modes])
    assert (
        library.samples["imaginary"].tolist() == [1] and (library.frequency > 0).all() and len(library.frequency) == 5
    )


def test_a_molecule_that_rearranges_is_an_error(monkeypatch):
    monkeypatch.setattr(computation, "relax", lambda forces, positions, radii: positions * 3)
    with pytest.raises(RuntimeError, match=r"'CO': the molecule rearranged: a bond C0-O1 broke"):
        compute_ir("CO")


def test_without_rdkit_the_import_works_and_the_call_says_what_to_install():
    code = (
        "import sys; sys.modules['rdkit'] = sys.modules['tblite'] = None\n"
        "from deep_chemometrics.infrared import compute_ir, functional_groups, GROUP_FREQUENCIES\n"
        "from deep_chemometrics.infrared.vibrations import xtb_forces\n"
        "import deep_chemometrics.infrared.line_list\n"
        "for call in (lambda: compute_ir('C'), lambda: functional_groups('C'), lambda: xtb_forces([1, 1])):\n"
        "    try:\n        call()\n    except ImportError as error:\n        print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.count('pip install "deep_chemometrics[infrared]"') == 3, done.stdout + done.stderr
