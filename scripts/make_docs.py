"""The website in _docs/: nbdev prepares the notebooks (hides cells, documents functions), smalldocs renders them."""

import os
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
    pages = {nbpath2html(path.relative_to(folder)).as_posix(): path for path in paths}
    for path in paths:

        def from_here(match: re.Match, here: Path = path.parent) -> str:
            if match[1]:  # nbdev's link to a function's page
                return Path(os.path.relpath(pages[match[1]], here)).as_posix() if match[1] in pages else match[0]
            if match[2]:  # its link to source code
                return f"{address}/{match[2]}"
            target = Path(os.path.normpath(here / match[3]))
            if target.is_relative_to(folder):
                return match[0]
            return f"{address}/blob/main/{Path(os.path.relpath(target, folder.parent)).as_posix()}"

        text = path.read_text(encoding="utf-8")
        text = re.sub(r"output-file: \S+?\.html\\n", "", text)
        text = re.sub(r"(?<=\]\()(?:/([\w/]+\.html)|/(blob/main/[^)\s]+)|(\.\./[^)\s]+))", from_here, text)
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
