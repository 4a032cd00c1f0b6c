"""Words that this project does not use, on its pages and in its documents. CONTRIBUTING.md says what to write instead.

The list is short and means senses, not strings; the whole table is in CONTRIBUTING.md.
"""

import re

import pytest
from pages import NOT_YET, PAGES, ROOT, address, cells

INSTEAD = {
    r"judg(e|ed|es|ing)": "test, evaluate",
    r"taught|teach|teaches|teaching|pupils?": "train, training set",
    r"lessons?|workshops?": "chapter, reference page",
    r"drawer": "test set",
    r"confess\w*": "a box: Limitations and deviations",
    r"foretell|foretold": "predict",
    r"whoever": "you, we, or a passive",
    r"next door": "on the other instrument",
    r"(load_|jitter_)?sticks": "line list, lines",
    r"imagined": "simulated",
    r"peeked": "selected on the test set",
}
WORDS = re.compile(rf"(?<![a-z])(?:{'|'.join(INSTEAD)})(?![a-z])", flags=re.I)
DOCUMENTS = [
    ROOT / name
    for name in ("README.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "data/README.md", "benchmarks/README.md")
]


def found(text: str) -> list[str]:
    return sorted({match[0].lower() for match in WORDS.finditer(re.sub(r"\]\([^)]*\)", "]", text))})


def words_of(page) -> list[str]:
    text = "\n\n".join(cell["source"] for cell in cells(page))
    springs = re.findall(r"\bsprings?\b", text) if "infrared" in address(page) else []  # force constants
    return found(text) + sorted(set(springs))


@pytest.mark.parametrize("page", PAGES, ids=address)
def test_pages(page):
    words = words_of(page)
    if address(page) in NOT_YET:
        pytest.skip(f"not revised yet: {', '.join(words)}")
    assert words == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documents(document):
    text = document.read_text("utf-8")
    if document.name == "CONTRIBUTING.md":  # whose table names the words
        text = re.sub(r"^\|.*$", "", text, flags=re.M)
    assert found(text) == []


def test_words_are_found_and_names_are_not():
    assert found("we Judged it, a lesson_plan") == ["judged", "lesson"]
    assert found("Springer, drawers of cards, subjudge") == []
