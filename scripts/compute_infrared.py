"""The computed infrared library: choose molecules from the list of the package `chemicals`, compute, assemble.

    python scripts/compute_infrared.py compute  --workers 2 --leave-out FILE
    python scripts/compute_infrared.py status
    python scripts/compute_infrared.py assemble --out data/computed_ir.npz

Needs rdkit, tblite and chemicals (`python -m pip install -e ".[dev]"` brings them). `compute` may be stopped at any
time, also by a power cut, and loses no more than the molecule that each worker has in hand: called again, it goes on.
The order of the molecules makes every beginning of the list a balanced library, so that `assemble` works on a part.

The file named by `--leave-out` lists first blocks of InChIKeys, one a line: these molecules are left out of everything,
so that spectra measured of them can test models trained on the computed ones. Without the option, the file
held_out_inchikeys.txt in the folder that DC_TESTDATA names is taken; `--leave-out none` leaves nothing out.

The work file (SQLite, `--work`, by default in the user's cache folder, where `make clean` does not reach) keeps
geometry, Hessian and dipole derivatives of each molecule: with other masses or scaled force constants the modes follow
in milliseconds, without new quantum chemistry (`read_record`).
"""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # small molecules: workers, not threads

import argparse
import csv
import hashlib
import io
import signal
import sqlite3
import sys
import time
import warnings
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

import numpy as np

ELEMENTS = {"H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Br", "I"}
HEAVY = range(4, 11)  # atoms that are not hydrogen
SOFT = 50  # cm-1
POSITIVES, COMMON, LATER = 150, 4300, 300  # see `balanced`
ATTEMPTS = 3  # a molecule that was in hand so often when the work was killed, or that killed it, is given up


# Choosing


def listed() -> list[tuple[str, str, str]]:
    "(first block of the InChIKey, SMILES, CAS number) of every compound in the list of `chemicals`."
    from chemicals import identifiers

    path = Path(identifiers.__file__).parent / "Identifiers" / "chemical identifiers pubchem large.tsv"
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row[6].split("-")[0], row[4], row[1]) for row in rows]


def candidates(compounds: list[tuple[str, str, str]], leave_out: set[str]) -> list[tuple[str, str, str, np.ndarray]]:
    """(key, SMILES, CAS, groups) of neutral organic molecules of `HEAVY` atoms, without duplicates.

    The first block of an InChIKey knows connections only: stereoisomers and isotopologues have the same, and the first
    that the list has stands for all (without its isotopes).
    """
    from rdkit import Chem, RDLogger

    from deep_chemometrics.infrared import functional_groups

    RDLogger.DisableLog("rdApp.*")
    found = {}
    for key, smiles, cas in compounds:
        if key in leave_out or key in found or "." in smiles or len(smiles) > 80:
            continue
        molecule = Chem.MolFromSmiles(smiles)
        if molecule is None or molecule.GetNumHeavyAtoms() not in HEAVY or Chem.GetFormalCharge(molecule):
            continue
        atoms = list(molecule.GetAtoms())
        symbols = {atom.GetSymbol() for atom in atoms}
        if "C" not in symbols or symbols - ELEMENTS or any(atom.GetNumRadicalElectrons() for atom in atoms):
            continue
        if any(atom.GetIsotope() for atom in atoms):
            for atom in atoms:
                atom.SetIsotope(0)
            molecule = Chem.RemoveHs(Chem.MolFromSmiles(Chem.MolToSmiles(molecule)))
            smiles = Chem.MolToSmiles(molecule)
        if Chem.MolToInchiKey(molecule).split("-")[0] == key:  # the list and rdkit agree on what it is
            found[key] = (key, smiles, cas)
    table = functional_groups([smiles for _, smiles, _ in found.values()]).to_numpy()
    return [(*about, groups) for about, groups in zip(found.values(), table)]


def balanced(
    chosen: list[tuple[str, str, str, np.ndarray]], positives: int = POSITIVES, common: int = COMMON, later: int = LATER
) -> list[int]:
    """Row numbers in the order of computing: the group with fewest molecules so far gets the next one that has it.

    Once every group has `positives` molecules, or all there are, it goes on as it comes, so that the library knows how
    common a group is; after `common` molecules the rare groups are filled up to `later`, and the rest follows. "Next"
    and "as it comes" are by the sha256 of the key: a shuffle that is the same everywhere.
    """
    shuffled = sorted(range(len(chosen)), key=lambda i: hashlib.sha256(chosen[i][0].encode()).digest())
    has = np.array([chosen[i][3] for i in shuffled], dtype=bool).reshape(len(shuffled), -1)
    counts, taken, order = np.zeros(has.shape[1], dtype=int), np.zeros(len(shuffled), dtype=bool), []

    def take(row):
        taken[row] = True
        counts[:] += has[row]
        order.append(int(row))

    def fill_up(least):
        waiting = [iter(np.flatnonzero(column)) for column in has.T]
        open_groups = set(range(has.shape[1]))
        while open_groups:
            group = min(open_groups, key=lambda g: (counts[g], g))
            row = next((i for i in waiting[group] if not taken[i]), None) if counts[group] < least else None
            if row is None:
                open_groups.discard(group)
            else:
                take(row)

    fill_up(positives)
    for row in np.flatnonzero(~taken)[: max(0, common - len(order))]:
        take(row)
    fill_up(later)
    return [shuffled[i] for i in [*order, *np.flatnonzero(~taken)]]


# Computing


def pack(**arrays: np.ndarray) -> bytes:
    "Arrays as the bytes of an npz file."
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def read_record(data: bytes) -> dict[str, np.ndarray]:
    "A row of the work file: numbers, masses, bonds, positions, hessian, dipole_derivatives, as in ComputedIR."
    with np.load(io.BytesIO(data), allow_pickle=False) as file:
        record = dict(file)
    n = 3 * len(record["numbers"])
    hessian = np.zeros((n, n))
    hessian[np.triu_indices(n)] = record["hessian"]
    record["hessian"] = hessian + np.triu(hessian, 1).T
    return record


def compute_one(smiles: str, limit: int) -> tuple[bytes | None, str, float]:
    "The record of one molecule (none where it failed), what there is to say, and the seconds of processor time."
    from deep_chemometrics.infrared import compute_ir

    def out_of_time(*_):
        raise RuntimeError(f"not done after {limit} s of processor time")

    start = time.process_time()
    timer = getattr(signal, "ITIMER_PROF", None)  # processor time: a busy machine ends no calculation; not on Windows
    if timer is not None:
        signal.signal(signal.SIGPROF, out_of_time)
        signal.setitimer(timer, limit)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ir = compute_ir(smiles)
        said = "; ".join(str(w.message) for w in caught)
        upper = ((ir.hessian + ir.hessian.T) / 2)[np.triu_indices(len(ir.hessian))]
        data = pack(
            numbers=ir.numbers.astype(np.uint8),
            masses=ir.masses,
            bonds=ir.bonds.astype(np.uint8),
            positions=ir.positions,
            hessian=upper.astype(np.float32),
            dipole_derivatives=ir.dipole_derivatives.astype(np.float32),
        )
        return data, said, time.process_time() - start
    except (RuntimeError, ValueError) as error:
        return None, str(error), time.process_time() - start
    finally:
        if timer is not None:
            signal.setitimer(timer, 0)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the main process's business


def open_work(path: Path) -> sqlite3.Connection:
    "The work file, made if there is none. Every write is on disk before it counts."
    path.parent.mkdir(parents=True, exist_ok=True)
    work = sqlite3.connect(path, timeout=60, isolation_level=None)
    work.execute("PRAGMA journal_mode=WAL")
    work.execute(
        "CREATE TABLE IF NOT EXISTS molecules (key TEXT PRIMARY KEY, place INTEGER, smiles TEXT, cas TEXT, "
        "attempts INTEGER DEFAULT 0, state TEXT DEFAULT 'waiting', said TEXT DEFAULT '', seconds REAL, data BLOB)"
    )
    work.execute("CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT)")
    return work


def fill(work: sqlite3.Connection, leave_out: set[str]) -> None:
    "Write the list of molecules, in its order, into a new work file; refuse to go on with another program's results."
    about = {name: version(name) for name in ("rdkit", "tblite", "chemicals")}
    about["left out"] = hashlib.sha256("\n".join(sorted(leave_out)).encode()).hexdigest()
    before = dict(work.execute("SELECT name, value FROM about"))
    if before:
        if changed := [name for name in about if before.get(name) != about[name]]:
            raise SystemExit(
                f"The work file was begun with another {', '.join(changed)} ({[before.get(n) for n in changed]}, now "
                f"{[about[n] for n in changed]}): one library, one program. Install that, or begin a new work file."
            )
        return
    print("choosing molecules, about half a minute ...", flush=True)
    chosen = candidates(listed(), leave_out)
    rows = [(chosen[i][0], place, chosen[i][1], chosen[i][2]) for place, i in enumerate(balanced(chosen))]
    work.execute("BEGIN")
    work.executemany("INSERT INTO molecules (key, place, smiles, cas) VALUES (?, ?, ?, ?)", rows)
    work.executemany("INSERT INTO about VALUES (?, ?)", about.items())
    work.execute("COMMIT")


def compute(work: sqlite3.Connection, workers: int, molecules: int, limit: int, minutes: float | None) -> None:
    "Compute what is waiting among the first `molecules` of the list, `workers` at a time."
    from tqdm import tqdm

    work.execute(
        "UPDATE molecules SET state = 'failed', said = ? WHERE state = 'waiting' AND attempts >= ?",
        (f"in hand {ATTEMPTS} times when the work ended", ATTEMPTS),
    )
    waiting = work.execute(
        "SELECT key, smiles FROM molecules WHERE state = 'waiting' AND place < ? ORDER BY place DESC", (molecules,)
    ).fetchall()
    total = min(molecules, work.execute("SELECT COUNT(*) FROM molecules").fetchone()[0])
    end = np.inf if minutes is None else time.monotonic() + 60 * minutes
    pool, running = None, {}
    bar = tqdm(total=total, initial=total - len(waiting), desc="computing", unit="molecule", smoothing=0.05)
    try:
        while running or (waiting and time.monotonic() < end):
            pool = pool or ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start_worker)
            while waiting and len(running) < workers and time.monotonic() < end:
                key, smiles = waiting.pop()
                work.execute("UPDATE molecules SET attempts = attempts + 1 WHERE key = ?", (key,))
                running[pool.submit(compute_one, smiles, limit)] = (key, smiles)
            done = wait(running, return_when=FIRST_COMPLETED).done
            broken = False
            for future in done:
                key, smiles = running.pop(future)
                try:
                    data, said, seconds = future.result()
                except BrokenProcessPool:  # a crash in compiled code, or no memory: the others were in hand, too
                    tries = work.execute("SELECT attempts FROM molecules WHERE key = ?", (key,)).fetchone()[0]
                    broken, data, said, seconds = True, None, "ended its process", None
                    if tries < ATTEMPTS:
                        waiting.append((key, smiles))
                        continue
                work.execute(
                    "UPDATE molecules SET state = ?, said = ?, seconds = ?, data = ? WHERE key = ?",
                    ("failed" if data is None else "done", said, seconds, data, key),
                )
                bar.update()
            if broken:
                pool.shutdown(wait=False, cancel_futures=True)
                waiting += running.values()
                pool, running = None, {}
    except KeyboardInterrupt:
        print("\nstopped; call again to go on", file=sys.stderr)
    finally:
        bar.close()
        if pool:
            pool.shutdown(wait=False, cancel_futures=True)


# Assembling


def assemble(work: sqlite3.Connection, out: Path, molecules: int) -> None:
    """All computed molecules as one line list (npz), with scaled and unscaled force constants: see data/README.md.

    Those with an imaginary mode beyond `SOFT` are left out: they are no minima. Softer ones are methyl groups and the
    like that turn nearly freely, far below the bands; there only the mode is left out.
    """
    from tqdm import tqdm

    from deep_chemometrics.data.line_list import save_lines
    from deep_chemometrics.infrared.computation import ComputedIR
    from deep_chemometrics.infrared.force_constants import FITTED, scaled_modes
    from deep_chemometrics.infrared.groups import group_atoms
    from deep_chemometrics.infrared.line_list import collect_lines
    from deep_chemometrics.infrared.vibrations import normal_modes

    rows = work.execute(
        "SELECT smiles, cas, data FROM molecules WHERE state = 'done' AND place < ? ORDER BY place", (molecules,)
    ).fetchall()
    kept = []
    for smiles, cas, data in tqdm(rows, desc="assembling", unit="molecule"):
        record = read_record(data)
        modes = normal_modes(*(record[n] for n in ("hessian", "dipole_derivatives", "masses", "positions")))
        if modes.frequencies[0] > -SOFT:
            ir = ComputedIR(smiles=smiles, modes=modes, belongs=group_atoms(smiles), **record)
            kept.append((smiles, scaled_modes(ir, FITTED), modes, cas))
    if not kept:
        raise SystemExit("Nothing is computed yet: run `compute` first.")
    smiles, scaled, unscaled, cas = zip(*kept)
    lines = collect_lines(smiles, scaled, cas)
    save_lines(lines, out, collect_lines(smiles, unscaled, cas))
    print(f"{out}: {len(lines)} molecules, {len(lines.frequency)} lines, {out.stat().st_size / 1e6:.2f} MB")
    print(f"left out: {len(rows) - len(kept)} molecules with imaginary modes beyond {SOFT}i cm-1; of those kept,")
    print(f"{(lines.samples['imaginary'] > 0).sum()} have softer ones, which are left out")
    print("positives:", ", ".join(f"{name} {n}" for name, n in lines.groups.sum().items()))


def status(work: sqlite3.Connection) -> None:
    "How far it is, how long a molecule takes, and why molecules failed."
    counts = dict(work.execute("SELECT state, COUNT(*) FROM molecules GROUP BY state"))
    seconds = [row[0] for row in work.execute("SELECT seconds FROM molecules WHERE state = 'done'")]
    print(", ".join(f"{name}: {n}" for name, n in counts.items()))
    if seconds:
        print(
            f"seconds a molecule: median {np.median(seconds):.2f}, mean {np.mean(seconds):.2f}, max {max(seconds):.1f}"
        )
    for smiles, said in work.execute("SELECT smiles, said FROM molecules WHERE state = 'failed' ORDER BY place"):
        print(f"failed: {smiles}: {said}")
    for (said,) in work.execute("SELECT said FROM molecules WHERE state = 'done' AND said != '' ORDER BY place"):
        print(said)


def read_leave_out(name: str | None) -> set[str]:
    "First blocks of InChIKeys from the file `name`, or from the one among the outside data."
    if name == "none":
        return set()
    if name is None:
        if not os.environ.get("DC_TESTDATA"):
            raise SystemExit("--leave-out is missing (and DC_TESTDATA not set): name a file, or 'none' to keep all.")
        name = Path(os.environ["DC_TESTDATA"], "held_out_inchikeys.txt")
    return {line.strip().split("-")[0] for line in Path(name).read_text("utf-8").splitlines() if line.strip()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["compute", "status", "assemble"])
    parser.add_argument("--work", type=Path, help="the work file")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="processes")
    parser.add_argument("--molecules", type=int, default=5060, help="the first so many of the list")
    parser.add_argument("--minutes", type=float, help="begin no molecule after so many minutes")
    parser.add_argument("--limit", type=int, default=300, help="processor seconds after which one is given up")
    parser.add_argument("--leave-out", help="file with InChIKeys to leave out, or 'none'")
    parser.add_argument("--out", type=Path, default=Path("data/computed_ir.npz"))
    options = parser.parse_args()
    if options.work is None:
        from pooch import os_cache

        options.work = Path(os_cache("deep_chemometrics"), "infrared.sqlite")
    if options.command != "compute" and not options.work.exists():
        raise SystemExit(f"There is no work file {options.work}: run `compute` first, or name it by --work.")
    work = open_work(options.work)
    if options.command == "compute":
        fill(work, read_leave_out(options.leave_out))
        compute(work, options.workers, options.molecules, options.limit, options.minutes)
    elif options.command == "assemble":
        assemble(work, options.out, options.molecules)
    if options.command != "assemble":
        status(work)


if __name__ == "__main__":
    main()
