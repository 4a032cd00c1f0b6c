"""The website in _docs/: nbdev prepares the notebooks (hides cells, documents functions), smalldocs renders them."""

import shutil
import subprocess
import sys
from pathlib import Path

from nbdev.serve import proc_nbs

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    prepared = proc_nbs(ROOT / "nbs", n_workers=2, force=True)
    status = subprocess.call([sys.executable, "-m", "smalldocs.cli", "render", "--strict", str(prepared)])
    if status == 0:
        shutil.rmtree(ROOT / "_docs", ignore_errors=True)
        shutil.move(prepared / "_docs", ROOT / "_docs")
        print("The website: _docs/index.html")
    return status


if __name__ == "__main__":
    sys.exit(main())
