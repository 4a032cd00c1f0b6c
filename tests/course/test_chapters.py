"""Form and length of the chapters: what every one of them must have, and how long it may be."""

import ast
import json
import re
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "nbs" / "course"
CHAPTERS = sorted(COURSE.glob("[0-9][0-9]_*.ipynb"))
FIRST_CELL = """\
import sys

if "google.colab" in sys.modules:  # on Colab, install the library; elsewhere do nothing
    %pip install -q "deep_chemometrics[deep] @ git+https://github.com/deep-chemometrics/deep_chemometrics\""""


def cells(path: Path, kind: str | None = None) -> list[str]:
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if kind in (None, cell["cell_type"])]


def visible_code(path: Path) -> list[str]:
    """Code cells as a reader sees them: without directives, and without hidden cells."""
    shown = [cell for cell in cells(path, "code") if "#| hide" not in cell]
    return ["\n".join(line for line in cell.splitlines() if not line.startswith("#|")) for cell in shown]


def prose(path: Path) -> str:
    return "\n\n".join(cells(path, "markdown"))


def sections(path: Path) -> list[str]:
    return re.findall(r"^## (.+)$", prose(path), flags=re.M)


def numbered(path: Path) -> int:
    return int(path.name[:2])


def test_numbers_have_no_gap():
    assert [numbered(path) for path in CHAPTERS] == list(range(len(CHAPTERS)))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
class TestChapter:
    def test_opens_with_the_box(self, path):
        title, box = cells(path, "markdown")[:2]
        assert re.fullmatch(r"# \S.*\n\n> \S.*", title)
        assert all(line.startswith(">") for line in box.splitlines() if line)
        for heading in ("**What you will learn**", "**Before you start**", "**Time**"):
            assert heading in box
        assert 3 <= len(re.findall(r"^> - ", box, flags=re.M)) <= 5
        minutes = int(re.search(r"\*\*Time\*\*\W+(\d+) minutes", box)[1])
        assert minutes <= 30

    def test_first_code_cell_is_for_colab(self, path):
        assert cells(path, "code")[0].strip() == FIRST_CELL

    def test_is_short(self, path):
        # Folded answers are read after the chapter; links and directives are not words.
        text = re.sub(r"<details>.*?</details>", "", prose(path), flags=re.S)
        text = re.sub(r"\]\([^)]*\)", "]", text)
        words = re.findall(r"[^\W\d_][\w'-]*", text)
        assert len(words) <= 1500
        code = visible_code(path)
        assert len(code) <= 25
        lengths = [len([line for line in cell.splitlines() if line.strip()]) for cell in code]
        assert max(lengths) <= 12, [cell for cell in code if len(cell.splitlines()) > 12][:1]
        assert median(lengths) <= 8

    def test_lines_fit_the_page(self, path):
        lines = [line for cell in cells(path, "code")[1:] for line in cell.splitlines()]
        long = [line for line in lines if len(line) > 88]
        assert long == []

    def test_assigns_one_thing_a_line(self, path):
        packed = []
        for cell in cells(path, "code"):
            for node in ast.walk(ast.parse(re.sub(r"^(\s*)%.*", r"\1pass", cell, flags=re.M))):
                packs = isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
                if packs and isinstance(node.targets[0], ast.Tuple):
                    packed.append(ast.unparse(node))
        assert packed == []

    def test_exports_nothing_and_refuses_nothing(self, path):
        code = "\n".join(cells(path, "code"))
        assert not re.search(r"#\| *(export|default_exp)|nbdev_export", code)

    def test_closes_as_all_do(self, path):
        if numbered(path) == 0:  # the quickstart is a tour: it ends with its table
            return
        assert sections(path)[-4:] == ["Summary", "Questions", "Exercises", "Further reading"]
        text = prose(path)
        questions = text.split("## Questions")[1].split("## Exercises")[0]
        answers = re.findall(r"<details><summary>Answer</summary>\n\n.+?\n\n</details>", questions, flags=re.S)
        assert len(re.findall(r"^\d\. ", questions, flags=re.M)) == len(answers) == 5
        exercises = text.split("## Exercises")[1].split("## Further reading")[0]
        assert f"exercises/{path.name}" in exercises
        reading = text.split("## Further reading")[1]
        assert len(re.findall(r"https://doi\.org/10\.\d{4,}/\S+", reading)) >= 2

    def test_has_an_instructive_error(self, path):
        if numbered(path) not in (0, 20):
            assert any("instructive error" in name.lower() for name in sections(path))

    def test_leads_back_and_on(self, path):
        last = cells(path, "markdown")[-1].splitlines()[-1]
        neighbours = [other for other in CHAPTERS if abs(numbered(other) - numbered(path)) == 1]
        assert all(f"]({other.name})" in last for other in neighbours)

    def test_figures_say_what_they_show(self, path):
        """Every figure has alternative text: the line `#| fig-alt:` of its cell."""
        found = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for cell in found:
            if any("image/png" in output.get("data", {}) for output in cell.get("outputs", [])):
                assert re.search(r"^#\| fig-alt: \S.{10}", "".join(cell["source"]), flags=re.M), cell["source"]

    def test_links_lead_somewhere(self, path):
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", prose(path)):
            assert (path.parent / link).exists(), link
