"""The tests, at three speeds.

python scripts/test.py             make test: lint, import contract, library pages, quick tests; ten minutes
python scripts/test.py --all       make test-all: the same, then the other pages, slow cells, slow tests
python scripts/test.py --nightly   make test-nightly: what is left, which is many random examples and other backends
python scripts/test.py --backend torch          make test-keras: the tests that use Keras, under one backend
python scripts/test.py nbs/library/data ...     these pages only (files or folders), slow cells included

Works without make, on Windows too. Every part runs whatever became of the others; the last line counts all of them.
"""

import argparse
import importlib.util
import multiprocessing
import os
import queue
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "nbs"
WORKERS = max(1, min(4, os.cpu_count() or 1))
PATIENCE = 900  # seconds for one page; what takes longer hangs
# What installs a backend, for those who ask for one that is missing; nothing is installed by itself.
INSTALL = {
    "jax": "jax",
    "tensorflow": "tensorflow",
    "torch": "torch --index-url https://download.pytorch.org/whl/cpu",  # without: gigabytes for graphics cards
}
# Every page runs in a new process. Where processes can be forked they begin with these imported, else that
# alone would take five seconds a page.
FORK = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
IMPORTED_ONCE = ["deep_chemometrics.networks.backend", "matplotlib.pyplot", "nbdev.test", "sklearn.cross_decomposition"]


def prepare(scratch: str) -> None:
    """The environment of all tests."""
    # One core to a process: JAX and BLAS would take all of them in each.
    threads = str(max(1, (os.cpu_count() or 1) // WORKERS))
    os.environ |= dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"], threads)
    os.environ |= {"PYTHONUTF8": "1", "MPLBACKEND": "agg", "DC_RUN_FOLDER": scratch}
    # What JAX has compiled is kept for the next run. It does not lock its files: a folder for each worker.
    os.environ |= {"JAX_COMPILATION_CACHE_DIR": str(ROOT / ".jax_cache"), "TF_CPP_MIN_LOG_LEVEL": "2"}
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])


def processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Tally:
    """Counts and times of the parts, printed as they come."""

    def __init__(self):
        self.parts = {}

    def run(self, part: str, function, *given) -> None:
        print(f"\n== {part}", flush=True)
        start, before = time.perf_counter(), processor_seconds()
        passed, failed, elsewhere = function(*given)
        seconds = time.perf_counter() - start, processor_seconds() - before + elsewhere
        self.parts[part] = (passed, failed, *seconds)

    def report(self) -> int:
        print(f"\n{'part':42}{'passed':>8}{'failed':>8}{'seconds':>9}{'processor':>11}")
        for part, (passed, failed, wall, work) in self.parts.items():
            print(f"{part:42}{passed:8}{failed:8}{wall:9.0f}{work:11.0f}")
        passed, failed, wall, work = (sum(column) for column in zip(*self.parts.values()))
        print(f"{'':58}{wall:9.0f}{work:11.0f}\n\n{passed} passed, {failed} failed", flush=True)
        return int(failed > 0)


# Lint


def lint() -> tuple[int, int, float]:
    linter = shutil.which("lint-imports", path=sysconfig.get_path("scripts"))
    commands = {
        "ruff format --check": [sys.executable, "-m", "ruff", "format", "--check", "--quiet", "."],
        "ruff check": [sys.executable, "-m", "ruff", "check", "--output-format", "concise", "."],
        "lint-imports": [linter],
    }
    failed = 0
    for name, command in commands.items():
        done = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
        )
        print(f"{'FAILED' if done.returncode else 'passed'}  {name}", flush=True)
        if done.returncode:
            failed += 1
            print(done.stdout, flush=True)
    return len(commands) - failed, failed, 0.0


# Pages


def notebooks(*places: Path) -> list[Path]:
    found = [path for place in places for path in ([place] if place.is_file() else sorted(place.rglob("*.ipynb")))]
    return [path for path in found if not any(part[0] in "._" for part in path.parts[-2:])]


def has_slow_cells(page: Path) -> bool:
    return "#| slow" in page.read_text(encoding="utf-8")


def run_page(page: Path, slow: bool, cache: Path, log: Path, work) -> None:
    """Run by a process of its own, which ends with status 0 if every cell passed."""
    with open(log, "w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    multiprocessing.set_start_method(None, force=True)  # a page starts processes of its own as anywhere else
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(cache)
    if "jax" in sys.modules:
        sys.modules["jax"].config.update("jax_compilation_cache_dir", str(cache))
    from nbdev.test import test_nb

    passed, _ = test_nb(page, skip_flags=["notest"] if slow else ["notest", "slow"], basepath=ROOT, cell_timeout=1800)
    work.value = processor_seconds()
    if "joblib.externals.loky" in sys.modules:  # its workers, if a page has started any, would outlive the page
        from joblib.externals.loky import get_reusable_executor

        get_reusable_executor().shutdown(wait=False, kill_workers=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(not passed)  # an ordinary end would wait for threads of libraries that nothing stops in a forked process


def pages(paths: list[Path], slow: bool) -> tuple[int, int, float]:
    context = multiprocessing.get_context(FORK)
    if FORK == "forkserver":
        context.set_forkserver_preload(IMPORTED_ONCE)
    free = queue.Queue()
    for number in range(WORKERS):
        free.put(number)

    def run(page: Path) -> tuple[bool, float]:
        number = free.get()
        cache, log = ROOT / ".jax_cache" / str(number), Path(os.environ["DC_RUN_FOLDER"], f"page-{number}.log")
        start, work = time.perf_counter(), context.Value("d", 0.0)
        process = context.Process(target=run_page, args=(page, slow, cache, log, work))
        process.start()
        process.join(PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()
            print(f"stopped {os.path.relpath(page, ROOT)} after {PATIENCE} s", flush=True)
        passed = process.exitcode == 0
        seconds = f"{time.perf_counter() - start:.0f} s, {work.value:.0f} s of work"
        print(f"{'passed' if passed else 'FAILED'}  {os.path.relpath(page, ROOT)}  {seconds}", flush=True)
        if not passed:
            print(log.read_text(encoding="utf-8", errors="replace"), flush=True)
        free.put(number)
        return passed, work.value

    with ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(run, paths))
    passed = sum(done for done, _ in results)
    return passed, len(results) - passed, sum(work for _, work in results)


# tests/


def pytest(*options: str, **environment: str) -> tuple[int, int, float]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "pytest.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(WORKERS), f"--junitxml={report}", *options]
        status = subprocess.call(command, cwd=ROOT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)
        if not report.exists():
            return 0, 1, 0.0
        counts = ET.parse(report).getroot().find("testsuite").attrib
    failed = int(counts["failures"]) + int(counts["errors"])
    passed = int(counts["tests"]) - failed - int(counts["skipped"])
    return passed, failed or int(status != 0), 0.0


def website() -> tuple[int, int, float]:
    """Built as by `make docs`, with warnings as errors, then checked; in a browser where there is one."""
    for number, script in enumerate(["make_docs.py", "check_site.py"]):
        if subprocess.call([sys.executable, f"scripts/{script}"], cwd=ROOT, stdin=subprocess.DEVNULL):
            return number, 1, 0.0
    return 2, 0, 0.0


def keras(tally: Tally, backend: str) -> None:
    tally.run(f"tests that use Keras, under {backend}", lambda: pytest("-m", "keras", KERAS_BACKEND=backend))


# The three speeds


def quick(tally: Tally) -> None:
    tally.run("lint", lint)
    tally.run("pages of the library", pages, notebooks(PAGES / "library"), False)
    tally.run("quick tests", lambda: pytest("-m", "not slow", HYPOTHESIS_PROFILE="quick"))


def the_rest(tally: Tally) -> None:
    """What `make test` leaves out. Slow cells need the cells before them, so that their pages run once more."""
    for folder in ["course", "guides", "datasets", "studies"]:
        tally.run(f"pages: {folder}", pages, notebooks(PAGES / folder), True)
    slow = [page for page in notebooks(PAGES / "library") if has_slow_cells(page)]
    tally.run("library, pages with slow cells", pages, [PAGES / "index.ipynb", *slow], True)
    tally.run("website", website)
    tally.run("slow tests", lambda: pytest("-m", "slow or hypothesis", HYPOTHESIS_PROFILE="full"))


def damaged_files() -> tuple[int, int, float]:
    """Two hours of damaged files for the readers, with memory and time watched."""
    command = [sys.executable, "scripts/fuzz_readers.py", "--minutes", "120"]
    done = subprocess.call(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    return int(done == 0), int(done != 0), 0.0


def nightly(tally: Tally) -> None:
    tally.run("damaged files", damaged_files)
    tally.run("many random examples", lambda: pytest("-m", "hypothesis", HYPOTHESIS_PROFILE="nightly"))
    for backend in INSTALL:
        if backend != "jax" and importlib.util.find_spec(backend):
            keras(tally, backend)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("places", nargs="*", type=Path, help="only these notebooks, or those of these folders")
    parser.add_argument("--all", action="store_true", help="everything but what is for the night")
    parser.add_argument("--nightly", action="store_true", help="what --all leaves out")
    parser.add_argument("--backend", choices=INSTALL, help="only the tests that use Keras, under this backend")
    given = parser.parse_args()
    if given.backend and importlib.util.find_spec(given.backend) is None:
        print(f"{given.backend} is not installed here. This installs it:", file=sys.stderr)
        print(f"{shlex.quote(sys.executable)} -m pip install {INSTALL[given.backend]}", file=sys.stderr)
        return 2
    tally = Tally()
    with tempfile.TemporaryDirectory() as scratch:
        prepare(scratch)
        if given.places:
            tally.run("pages", pages, notebooks(*(place.resolve() for place in given.places)), True)
        elif given.backend:
            keras(tally, given.backend)
        elif given.nightly:
            nightly(tally)
        else:
            quick(tally)
            if given.all:
                the_rest(tally)
    return tally.report()


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
