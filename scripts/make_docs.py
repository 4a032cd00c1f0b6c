"""The website in _docs/: nbdev prepares the notebooks (hides cells, documents functions), smalldocs renders them."""

import re
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

from nbdev.config import nbpath2html
from nbdev.serve import proc_nbs

ROOT = Path(__file__).resolve().parent.parent


def mend_links(folder: Path) -> None:
    """nbdev names pages as Quarto would, without their numbers, and does not know the repository's address."""
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    address = config["DEFAULT"]["repository"]
    paths = sorted(folder.rglob("*.ipynb"))
    pages = {nbpath2html(path).name: path.name for path in paths}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"output-file: \S+?\.html\\n", "", text)
        text = re.sub(r"(?<=\]\()/(\w+\.html)", lambda match: pages.get(match[1], match[0]), text)
        # links to source code, and from the notebooks to files beside nbs/
        text = re.sub(r"(?<=\]\()(/blob/main|\.\.)/", f"{address}/blob/main/", text)
        path.write_text(text, encoding="utf-8")


def main() -> int:
    prepared = proc_nbs(ROOT / "nbs", n_workers=2, force=True)
    mend_links(prepared)
    status = subprocess.call([sys.executable, "-m", "smalldocs.cli", "render", "--strict", str(prepared)])
    if status == 0:
        shutil.rmtree(ROOT / "_docs", ignore_errors=True)
        shutil.move(prepared / "_docs", ROOT / "_docs")
        print("The website: _docs/index.html")
    return status


if __name__ == "__main__":
    sys.exit(main())
