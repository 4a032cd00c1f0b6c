"""The script that computes the embedded line list: its choice of molecules, resuming, failures, assembling."""

import importlib
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tblite", reason="tblite has no wheels for Windows")

from deep_chemometrics.data.line_list import load_lines
from deep_chemometrics.infrared import compute_ir
from deep_chemometrics.infrared.vibrations import normal_modes

ROOT = Path(__file__).resolve().parents[2]


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
