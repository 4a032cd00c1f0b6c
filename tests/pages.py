"""The notebooks of nbs/, for the tests that read them."""

import json
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(p for p in (ROOT / "nbs").rglob("*.ipynb") if not any(part[0] in "._" for part in p.parts[-2:]))
# Pages whose language and width of code have not been revised yet; nbs/ruff.toml names them, too. The list may only
# become shorter: a page that keeps all rules has to leave it.
NOT_YET: set[str] = set()


def address(page: Path) -> str:
    """library/data/01_datasets, for example."""
    return page.relative_to(ROOT / "nbs").with_suffix("").as_posix()


@cache
def cells(page: Path) -> list[dict]:
    found = json.loads(page.read_text("utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


def outputs(page: Path) -> list[dict]:
    return [output for cell in cells(page) for output in cell.get("outputs", [])]
