"""Groups, vibrations and computed spectra: known molecules, another program's numbers, odd input, and the script."""

import importlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("tblite", reason="tblite has no wheels for Windows")

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data.line_list import LineList, line_spectra, load_lines, save_lines
from deep_chemometrics.infrared import GROUP_FREQUENCIES, GROUP_SMARTS, computation, compute_ir, functional_groups
from deep_chemometrics.infrared.groups import GROUP_ATOMS, group_atoms
from deep_chemometrics.infrared.line_list import collect_lines
from deep_chemometrics.infrared.vibrations import BOHR, differentiate, normal_modes, relax, xtb_forces

ROOT = Path(__file__).resolve().parents[2]
AXIS = np.arange(500.0, 3900, 4)

# Groups

MOLECULES = {
    "C": ["alkane"],
    "CC": ["methyl"],
    "C1CC1": ["alkane"],
    "C=C": ["alkene"],
    "C#C": ["alkyne"],
    "CO": ["methyl", "alcohol"],
    "O": [],
    "CN": ["methyl", "amine"],
    "CN(C)C": ["methyl"],
    "CC#N": ["methyl", "nitrile"],
    "c1ccccc1": ["aromatic"],
    "c1ccoc1": ["aromatic"],
    "Oc1ccccc1": ["alcohol", "aromatic"],
    "CCl": ["methyl", "alkyl halide"],
    "COC=O": ["methyl", "ether"],  # the pattern of an ester wants a carbon on the acid's side
    "COC(C)=O": ["methyl", "ester", "ether"],
    "CC(C)=O": ["methyl", "ketone"],
    "C=O": [],
    "CC=O": ["methyl", "aldehyde"],
    "OC=O": ["alcohol", "carboxylic acid"],
    "COC": ["methyl", "ether"],
    "CC(=O)F": ["methyl", "alkyl halide", "acyl halide"],
    "CC(=O)N": ["methyl", "amide"],
    "NC=O": [],
    "C[N+](=O)[O-]": ["methyl", "nitro"],
    "CN(=O)=O": ["methyl", "nitro"],
    "CON(=O)=O": ["methyl"],  # a nitrate, not a nitro compound
}


@pytest.mark.parametrize("smiles", MOLECULES)
def test_groups_of_known_molecules(smiles):
    has = functional_groups([smiles]).iloc[0]
    assert list(has.index[has]) == sorted(MOLECULES[smiles], key=list(GROUP_SMARTS).index)


def test_the_tables_agree_in_their_groups():
    assert list(GROUP_SMARTS) == list(GROUP_FREQUENCIES) and set(GROUP_SMARTS) == set(GROUP_ATOMS)
    assert all(400 < low < high < 3700 for ranges in GROUP_FREQUENCIES.values() for high, low in ranges)


@pytest.mark.parametrize("smiles", [name for name, groups in MOLECULES.items() if groups])
def test_a_group_has_atoms_where_it_is_present(smiles):
    present = group_atoms(smiles).any(axis=0)
    assert (present == functional_groups(smiles).to_numpy()[0]).all()


@pytest.mark.parametrize(
    ("smiles", "group", "atoms"),
    [
        ("CO", "alcohol", [1, 5]),  # the oxygen and its hydrogen, not the carbon
        ("CN", "amine", [1, 5, 6]),
        ("CC=O", "aldehyde", [1, 2, 6]),
        ("CC(=O)O", "carboxylic acid", [1, 2, 3, 7]),
        ("CC(=O)N", "amide", [1, 2, 3, 7, 8]),
        ("C[N+](=O)[O-]", "nitro", [1, 2, 3]),
        ("COC", "ether", [1]),
        ("CCl", "alkyl halide", [1]),
        ("CC(=O)Cl", "acyl halide", [1, 2, 3]),
        ("CC(C)=O", "ketone", [1, 3]),
    ],
)
def test_a_group_s_own_atoms(smiles, group, atoms):
    column = group_atoms(smiles)[:, list(GROUP_SMARTS).index(group)]
    assert np.flatnonzero(column).tolist() == atoms


@pytest.mark.parametrize("wrong", ["", "C1CC", "xyz", "C(", None, 3, "c1cccc1", np.nan])
def test_what_is_no_smiles(wrong):
    with pytest.raises(ValueError, match="is no molecule that rdkit can read"):
        functional_groups(["CCO", wrong])


def test_groups_of_nothing_and_of_one():
    assert functional_groups([]).shape == (0, 17) and functional_groups("CCO").shape == (1, 17)
    twice = functional_groups(pd.Series(["CO", "CO"]))
    assert twice.shape == (2, 17) and twice.to_numpy().dtype == bool


# Vibrations

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


# Without the extra


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


# Sticks


def test_line_lists_go_through_a_file(tmp_path, computed):
    library = collect_lines(list(computed), [ir.modes for ir in computed.values()], cas=["7732-18-5"] + [""] * 5)
    save_lines(library, tmp_path / "a.npz")
    save_lines(library, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = load_lines(tmp_path / "a.npz")
    assert again.samples["cas"][0] == "7732-18-5" and again.groups.equals(library.groups)
    expected = [ir.spectrum(AXIS) for ir in computed.values()]
    assert np.allclose(line_spectra(library, AXIS), expected)
    assert np.abs(line_spectra(again, AXIS) - expected).max() < 0.01 * np.max(expected)


def test_a_damaged_library_and_other_groups_are_refused(tmp_path, computed):
    library = collect_lines(["O"], [computed["O"].modes])
    with pytest.raises(ValueError, match="damaged"):
        LineList(library.samples, library.groups, np.array([4]), *(getattr(library, n) for n in (
            "frequency", "intensity", "motion", "absorption")))  # fmt: skip
    with pytest.raises(ValueError, match="give one of each"):
        collect_lines(["O", "C"], [computed["O"].modes])
    save_lines(library, tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as file:
        stored = dict(file)
    np.savez(tmp_path / "b.npz", **(stored | {"group_names": np.array(["thiol"] * 17)}))
    with pytest.raises(ValueError, match="other groups"):
        load_lines(tmp_path / "b.npz")


# The script


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(ROOT / "scripts"))  # its workers, processes of their own, look there, too
    yield importlib.import_module("compute_infrared")
    sys.path.remove(str(ROOT / "scripts"))


def row(script, smiles, cas=""):
    from rdkit import Chem

    return Chem.MolToInchiKey(Chem.MolFromSmiles(smiles)).split("-")[0], smiles, cas


def test_chosen_are_neutral_organic_molecules_once_each(script):
    compounds = ["CCCO", "C[C@H](N)CO", "C[C@@H](N)CO", "[2H]C(C)(C)CO", "CC(C)CO", "CCO", "CCCC[Na]", "C[N+](C)(C)C"]
    compounds += ["CCC[CH2]", "O=S(=O)(O)O", "CCCCCCCCCCC", "CCC=O.O", "CC(=O)OC", "C[Si](C)(C)C"]
    found = script.candidates([row(script, s) for s in compounds], {row(script, "CC(=O)OC")[0]})
    assert [smiles for _, smiles, _, _ in found] == ["CCCO", "C[C@H](N)CO", "CC(C)CO", "C[Si](C)(C)C"]
    assert [bool(groups[4]) for *_, groups in found] == [True, True, True, False], "alcohols"


def test_every_beginning_is_balanced(script):
    rng = np.random.default_rng(0)
    frequency = np.array([0.9, 0.5, 0.2, 0.05])
    chosen = [(f"key{i}", "", "", rng.random(4) < frequency) for i in range(2000)]
    order = script.balanced(chosen, positives=60)
    assert sorted(order) == list(range(2000)) and order == script.balanced(chosen, positives=60)
    has = np.array([chosen[i][3] for i in order])
    assert has[:100].sum(axis=0).min() >= 30, "a tenth part of the rarest group would be 5"
    assert has[:300].sum(axis=0).min() >= 60
    rare = [("a", "", "", np.array([True, False])), ("b", "", "", np.array([True, True]))]
    assert script.balanced(rare, positives=5) in ([0, 1], [1, 0]), "all there are"


def test_rare_groups_are_filled_up_after_the_common_part(script):
    """500 molecules, of which 60 have the second group: 10 of each, then as they come up to 200, then all the rare."""
    chosen = [(f"k{i}", "C", "", np.array([True, i < 60])) for i in range(500)]
    order = script.balanced(chosen, positives=10, common=200, later=50)
    rare = np.array(order) < 60
    assert rare[:12].sum() >= 10 and 15 <= rare[:200].sum() <= 45
    assert rare[200 : 250 - rare[:200].sum()].all() and rare[:300].sum() >= 50
    assert order == script.balanced(chosen, positives=10, common=200, later=50) and sorted(order) == list(range(500))


@pytest.mark.slow
def test_computes_resumes_and_assembles(script, tmp_path, monkeypatch, capsys):
    small = ["CCCO", "CC=CC", "CC(=O)OC"]
    monkeypatch.setattr(script, "listed", lambda: [row(script, s, f"cas {s}") for s in small])
    work = script.open_work(tmp_path / "work.sqlite")
    script.fill(work, {"LEFTOUT"})
    script.compute(work, workers=1, molecules=2, limit=300, minutes=None)
    done = work.execute("SELECT key, data FROM molecules WHERE state = 'done' ORDER BY place").fetchall()
    assert len(done) == 2

    script.fill(work, {"LEFTOUT"})  # called again, it goes on, and keeps what it has
    script.compute(work, workers=1, molecules=10, limit=300, minutes=None)
    again = work.execute("SELECT key, data FROM molecules WHERE state = 'done' ORDER BY place").fetchall()
    assert len(again) == 3 and again[:2] == done

    record = script.read_record(done[0][1])
    ir = compute_ir(work.execute("SELECT smiles FROM molecules WHERE place = 0").fetchone()[0])
    assert np.allclose(record["hessian"], (ir.hessian + ir.hessian.T) / 2, atol=1e-6)
    modes = normal_modes(*(record[n] for n in ("hessian", "dipole_derivatives", "masses", "positions")))
    assert np.allclose(modes.frequencies, ir.frequencies, atol=0.05)

    script.assemble(work, tmp_path / "computed_ir.npz", molecules=10)
    library = load_lines(tmp_path / "computed_ir.npz")
    assert sorted(library.samples["smiles"]) == sorted(small)
    assert (library.samples["cas"] == "cas " + library.samples["smiles"]).all()
    script.status(work)
    assert "done: 3" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="begun with another left out"):
        script.fill(work, set())


def test_a_molecule_that_was_in_hand_too_often_is_given_up(script, tmp_path):
    work = script.open_work(tmp_path / "work.sqlite")
    work.execute("INSERT INTO molecules (key, place, smiles, attempts) VALUES ('A', 0, 'CCCO', 3)")
    script.compute(work, workers=1, molecules=1, limit=300, minutes=None)
    assert work.execute("SELECT state, said FROM molecules").fetchall() == [
        ("failed", "in hand 3 times when the work ended")
    ]


def test_failures_are_kept_with_their_reason(script):
    data, said, _ = script.compute_one("C[O]", 300)
    assert data is None and "radical" in said


def test_a_work_file_survives_a_kill(script, tmp_path):
    """Half a write is no write: what was not committed is not there, the rest is."""
    work = script.open_work(tmp_path / "work.sqlite")
    work.execute("INSERT INTO molecules (key, place, smiles) VALUES ('A', 0, 'CCCO')")
    half = sqlite3.connect(tmp_path / "work.sqlite", isolation_level=None)
    half.execute("BEGIN")
    half.execute("UPDATE molecules SET state = 'done'")
    half.close()  # as when the process dies
    assert work.execute("SELECT state FROM molecules").fetchall() == [("waiting",)]


def test_the_list_to_leave_out_must_be_named(script, tmp_path, monkeypatch):
    monkeypatch.delenv("DC_TESTDATA", raising=False)
    with pytest.raises(SystemExit, match="--leave-out is missing"):
        script.read_leave_out(None)
    assert script.read_leave_out("none") == set()
    (tmp_path / "held_out_inchikeys.txt").write_text("ABC\n\nDEF-UHFFFAOYSA-N\n")
    monkeypatch.setenv("DC_TESTDATA", str(tmp_path))
    assert script.read_leave_out(None) == {"ABC", "DEF"}
