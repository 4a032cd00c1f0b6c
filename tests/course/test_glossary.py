"""The glossary: enough terms, each explained, and each linked where a chapter uses it first."""

import json
import re
from pathlib import Path

COURSE = Path(__file__).resolve().parents[2] / "nbs" / "course"
ROW = re.compile(r'^\| <a id="([\w-]+)"></a>\*\*(.+?)\*\* \|(.*)\|(.*)\| \[(\d+)\]\(([\w.]+)\) \|$', flags=re.M)


def prose(path: Path) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


# Words that chapters before the one that explains the term use in another sense: the unit of a value, a batch of
# tablets.
OTHER_SENSE = {
    *["unit", "score", "weight", "bias", "batch", "component", "kernel", "label", "gradient", "loss", "bands"],
    *["role", "fold", "completeness", "deletion", "activation", "residual", "baseline"],
}
CHAPTERS = sorted(COURSE.glob("[0-9][0-9]_*.ipynb"))
GLOSSARY = prose(COURSE / "glossary.ipynb")
TERMS = ROW.findall(GLOSSARY)


def test_at_least_eighty_terms_in_order_and_none_twice():
    names = [name for _, name, *_ in TERMS]
    assert len(names) >= 80
    assert names == sorted(set(names), key=str.lower)
    assert all(meaning.strip() for _, _, _, meaning, *_ in TERMS)


def test_chapters_that_explain_exist():
    for _, name, _, _, number, link in TERMS:
        assert (COURSE / link).exists() and link.startswith(f"{int(number):02d}_"), name


def test_every_term_is_linked_once_from_the_chapters():
    links = [(anchor, path) for path in CHAPTERS for anchor in re.findall(r"\(glossary\.ipynb#([\w-]+)\)", prose(path))]
    linked = [anchor for anchor, _ in links]
    assert sorted(linked) == sorted(anchor for anchor, *_ in TERMS)


def test_the_link_stands_at_the_first_use():
    """In no earlier chapter does the term stand in running text."""
    skip = r"<details>.*?</details>|`[^`]*`|\$[^$]*\$|\[[^\]]*\]\([^)]*\)|^[#|>][^\n]*"
    plain = {path: re.sub(skip, " ", prose(path), flags=re.S | re.M) for path in CHAPTERS}
    for anchor, name, _, _, number, _ in TERMS:
        where = next(path for path in CHAPTERS if f"glossary.ipynb#{anchor})" in prose(path))
        flags = 0 if name.isupper() else re.I
        start = int(number) if name in OTHER_SENSE else 0
        for path in CHAPTERS[start : CHAPTERS.index(where)]:
            assert not re.search(rf"(?<![\w/-]){re.escape(name)}(?![\w-])", plain[path], flags), (name, path.name)
