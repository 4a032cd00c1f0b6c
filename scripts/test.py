"""All tests: format and lint, every notebook in a process of its own, tests/. Each part runs whatever the others did.

`python scripts/test.py` is `make test`, and works without make, on Windows too. `python scripts/test.py 04 06` runs
only the notebooks whose names begin so.

`python scripts/test.py --backend torch` is `make test-keras BACKEND=torch`: of tests/ the files that use Keras, under
that backend. `python scripts/test.py --backend torch layers` takes only the files whose names begin so.
"""

import argparse
import ast
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

# What installs a backend, for those who ask for one that is missing; nothing is installed by itself.
INSTALL = {
    "jax": "jax",
    "tensorflow": "tensorflow",
    "torch": "torch --index-url https://download.pytorch.org/whl/cpu",  # without: gigabytes for graphics cards
}
ROOT = Path(__file__).resolve().parent.parent
WORKERS = max(1, min(4, os.cpu_count() or 1))


def environment(folder: str) -> dict[str, str]:
    """One core to a process: JAX and BLAS would take all of them in each. Notebooks write into `folder`, and so does
    JAX: what it has compiled once it finds there again. The folder ends with the run.
    """
    threads = str(max(1, (os.cpu_count() or 1) // WORKERS))
    limits = dict.fromkeys(["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"], threads)
    jax = {"JAX_COMPILATION_CACHE_DIR": str(Path(folder, "jax")), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1"}
    return {**os.environ, **limits, **jax, "PYTHONUTF8": "1", "DC_RUN_FOLDER": folder}


def run(command: list[str], env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace"
    )
    return done.returncode, done.stdout.strip()


def checks(env: dict[str, str]) -> tuple[int, int]:
    failed = 0
    for name in (["format", "--check"], ["check"]):
        status, output = run([sys.executable, "-m", "ruff", *name, "."], env)
        print(f"{'FAILED' if status else 'passed'}  ruff {' '.join(name)}", flush=True)
        if status:
            failed += 1
            print(output, flush=True)
    return 2 - failed, failed


def test_notebook(path: Path, env: dict[str, str]) -> tuple[bool, float, str]:
    start = time.perf_counter()
    nbdev_test = shutil.which("nbdev-test", path=sysconfig.get_path("scripts"))
    # a folder for each of those at work: JAX does not lock what it writes
    cache = {"JAX_COMPILATION_CACHE_DIR": str(Path(env["JAX_COMPILATION_CACHE_DIR"], threading.current_thread().name))}
    status, output = run([nbdev_test, str(path), "--n-workers", "0"], env | cache)
    # nbdev-test is content when it finds nothing to test; we are not
    return status == 0 and "Success." in output, time.perf_counter() - start, output


def notebooks(env: dict[str, str], only: list[str]) -> tuple[int, int]:
    paths = [p for p in sorted((ROOT / "nbs").rglob("*.ipynb")) if not any(part[0] in "._" for part in p.parts[-2:])]
    if only:
        paths = [p for p in paths if p.name.startswith(tuple(only))]
    failed = 0
    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = {pool.submit(test_notebook, path, env): path for path in paths}
        for job in as_completed(jobs):
            passed, seconds, output = job.result()
            name = jobs[job].relative_to(ROOT).as_posix()
            print(f"{'passed' if passed else 'FAILED'}  {name}  {seconds:.0f} s", flush=True)
            if not passed:
                failed += 1
                print(output, flush=True)
    if not paths:
        print("FAILED  no notebook found")
        return 0, 1
    return len(paths) - failed, failed


def imported(path: Path) -> set[str]:
    """Modules of the library, without its name, and "keras" itself, that a file imports while it is imported."""
    names, waiting = set(), [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = "deep_chemometrics." if node.level else ""  # from .layers import keras
            module = package + (node.module or "")
            names |= {module} | {f"{module.rstrip('.')}.{alias.name}" for alias in node.names}
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):  # what a function imports waits for its call
            waiting.extend(ast.iter_child_nodes(node))
    own = {name.split(".")[1] for name in names if name.startswith("deep_chemometrics.")}
    return own | ({"keras"} if any(name.split(".")[0] == "keras" for name in names) else set())


def keras_tests() -> list[Path]:
    """Files of tests/ that import Keras, themselves or through modules of the library."""
    modules = {path.stem: imported(path) for path in (ROOT / "deep_chemometrics").glob("*.py")}
    heavy = {"keras"}
    while more := {name for name, uses in modules.items() if uses & heavy} - heavy:
        heavy |= more
    return [path for path in sorted((ROOT / "tests").glob("test_*.py")) if imported(path) & heavy]


def test_keras(backend: str, only: list[str]) -> tuple[int, int]:
    paths = [path for path in keras_tests() if not only or path.stem.removeprefix("test_").startswith(tuple(only))]
    if not paths:
        print("FAILED  no test of Keras found")
        return 0, 1
    print(f"== {len(paths)} files of tests/ that use Keras, with the backend {backend}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        env = environment(folder) | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "2"}
        return pytest(env, folder, [path.relative_to(ROOT).as_posix() for path in paths])


def pytest(env: dict[str, str], folder: str, paths: tuple[str, ...] | list[str] = ("tests",)) -> tuple[int, int]:
    report = Path(folder) / "pytest.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(WORKERS), f"--junitxml={report}", *paths]
    status = subprocess.call(command, cwd=ROOT, env={**env, "MPLBACKEND": "agg"})
    if not report.exists():
        return 0, 1
    counts = ET.parse(report).getroot().find("testsuite").attrib
    failed = int(counts["failures"]) + int(counts["errors"])
    passed = int(counts["tests"]) - failed - int(counts["skipped"])
    return passed, failed or int(status != 0)


def all_tests(only: list[str]) -> dict[str, tuple[int, int]]:
    total = {}
    with tempfile.TemporaryDirectory() as folder:
        env = environment(folder)
        print("== Format and lint", flush=True)
        total["format and lint"] = checks(env)
        print(f"\n== Notebooks, {WORKERS} at a time", flush=True)
        total["notebooks"] = notebooks(env, only)
        print("\n== tests/", flush=True)
        total["tests"] = pytest(env, folder)
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only notebooks (with --backend: files of tests/) that begin so")
    parser.add_argument("--backend", choices=INSTALL, help="only the tests that use Keras, under this backend")
    given = parser.parse_args()
    if given.backend and importlib.util.find_spec(given.backend) is None:
        print(f"{given.backend} is not installed here. This installs it:", file=sys.stderr)
        print(f"{shlex.quote(sys.executable)} -m pip install {INSTALL[given.backend]}", file=sys.stderr)
        return 2
    total = {"tests": test_keras(given.backend, given.names)} if given.backend else all_tests(given.names)
    print()
    for name, (passed, failed) in total.items():
        print(f"{name}: {passed} passed, {failed} failed")
    passed, failed = (sum(counts) for counts in zip(*total.values()))
    print(f"{passed} passed, {failed} failed", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
