"""The website in _docs/: website/prepare.py makes its sources from the notebooks, Sphinx renders them.

Warnings are errors: a broken link, an unknown reference, or a docstring that documents other parameters than the
signature has. Notebooks are not executed. Pages that run in the browser are made by scripts/make_lite.py.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "_proc"
SITE = ROOT / "_docs"

sys.path.insert(0, str(ROOT))
from make_lite import build  # noqa: E402

from website.prepare import prepare  # noqa: E402


def place(built: Path, site: Path) -> None:
    """The new site takes the place of the old one, except for `lite`."""
    site.mkdir(exist_ok=True)
    for old in site.iterdir():
        if old.name != "lite":
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    for new in built.iterdir():
        shutil.move(new, site / new.name)


def main() -> int:
    start = time.perf_counter()
    shutil.rmtree(WORK, ignore_errors=True)
    build(SITE / "lite")  # first: pages that are in it get a button
    prepare(WORK / "source")
    processes = str(min(4, os.cpu_count() or 1))
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-j", processes]
    command += ["-c", str(ROOT / "website"), "-d", str(WORK / "doctrees")]
    command += [*sys.argv[1:], str(WORK / "source"), str(WORK / "html")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "jax", "PYTHONUTF8": "1"}
    status = subprocess.call(command, cwd=ROOT, env=environment)
    if status == 0:
        place(WORK / "html", SITE)
        pages = len(list(SITE.rglob("*.html")))
        print(f"The website: _docs/index.html, {pages} pages in {time.perf_counter() - start:.0f} s")
    return status


if __name__ == "__main__":
    sys.exit(main())
