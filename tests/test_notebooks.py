"""Rules that every notebook of nbs/ keeps."""

import ast
import base64
import re

import pytest
from pages import NOT_YET, PAGES, ROOT, address, cells, outputs
from test_language import words_of

EXPORTED = re.compile(r"(#\|.*\n)*#\| *export[ids]?\b")
WIDEST = 1240  # pixels: 8 inches at 150 dpi, and the margin that the inline backend adds


def code(page) -> list[str]:
    return [cell["source"] for cell in cells(page) if cell["cell_type"] == "code"]


def wide_lines(page) -> list[str]:
    lines = [line for source in code(page) for line in source.splitlines()]
    return [line for line in lines if len(line) > 88 and "%pip install" not in line]


def without_docstrings(source: str) -> list[str]:
    """The lines of a cell without docstrings, whose sections may be as long as they need to be."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            first = node.body[0]
            lines[first.lineno - 1 : first.end_lineno] = [None] * (first.end_lineno - first.lineno + 1)
    return [line for line in lines if line is not None]


def without_directives(source: str) -> str:
    return re.sub(r"\A(#\|.*\n?)+", "", source)


def test_pages_not_yet_revised_are_listed_once():
    by_address = {address(page): page for page in PAGES}
    assert [name for name in NOT_YET if name not in by_address] == []
    clean = [name for name in NOT_YET if not wide_lines(by_address[name]) and not words_of(by_address[name])]
    assert clean == [], "take them from the list in pages.py and from nbs/ruff.toml"
    listed = re.findall(r'^"(\S+)\.ipynb" = \["E501"\]', (ROOT / "nbs" / "ruff.toml").read_text("utf-8"), flags=re.M)
    assert set(listed) == NOT_YET


@pytest.mark.parametrize("page", PAGES, ids=address)
class TestNotebook:
    def test_begins_with_title_and_subtitle(self, page):
        first = next(cell["source"] for cell in cells(page) if cell["cell_type"] == "markdown")
        assert re.fullmatch(r"# \S.*\n\n?> \S.*", first), "nothing else in this cell: nbdev shows only these two lines"
        assert "To be written" not in first

    def test_page_of_the_library_ends_with_export_and_no_other(self, page):
        exports = any(source.startswith("#| default_exp") for source in code(page))
        assert exports == address(page).startswith("library/")
        last = cells(page)[-1]["source"]
        assert (last.startswith("#| hide") and "nbdev_export()" in last) == exports

    def test_chapters_export_nothing(self, page):
        if address(page).split("/")[0] in {"course", "guides", "datasets", "index"}:
            assert [source for source in code(page) if EXPORTED.match(source)] == []

    def test_imports_stand_in_cells_of_their_own(self, page):
        """nbdev runs every cell that imports to build the documentation, and only these and the exported ones."""
        if address(page).startswith("course/exercises/"):
            pytest.skip("a checked cell of an exercise brings its own imports")
        special = re.compile(r"google\.colab|sys\.path\.insert")  # what follows needs them
        mixed = []
        for source in code(page):
            if not EXPORTED.match(source) and "nbdev_export()" not in source and not special.search(source):
                body = ast.parse(re.sub(r"^[%!].*", "", source, flags=re.M)).body
                nodes = [node for part in body for node in ast.walk(part)]
                imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
                if imports and imports != body:
                    mixed.append(source)
        assert mixed == [], "cells that import and do something else"

    def test_exported_cells_are_short(self, page):
        exported = [source for source in code(page) if EXPORTED.match(source)]
        assert [source for source in exported if len(without_docstrings(source)) > 70] == []

    def test_lines_of_code_fit_on_the_page(self, page):
        if address(page) in NOT_YET:
            pytest.skip("not revised yet")
        assert wide_lines(page) == []

    def test_is_executed_without_error(self, page):
        may = address(page).startswith(("library/", "course/exercises/")) or not code(page)
        assert outputs(page) or may, "without outputs"
        assert [output["ename"] for output in outputs(page) if output["output_type"] == "error"] == []

    def test_is_never_skipped_as_a_whole(self, page):
        assert not any("skip_exec" in cell["source"] for cell in cells(page))

    def test_slow_cells_export_nothing(self, page):
        """`make test` leaves cells with `#| slow` out, and the modules must not depend on that."""
        directives = [source.removesuffix(without_directives(source)) for source in code(page)]
        assert [text for text in directives if re.search(r"^#\| *slow", text, flags=re.M) and "export" in text] == []

    def test_is_small(self, page):
        assert page.stat().st_size < 2_000_000

    def test_figures_are_at_most_eight_inches_wide(self, page):
        pictures = [output["data"]["image/png"] for output in outputs(page) if "image/png" in output.get("data", {})]
        heads = [base64.b64decode("".join(picture)[:64]) for picture in pictures]
        widths = [int.from_bytes(head[16:20], "big") for head in heads]
        assert [width for width in widths if width > WIDEST] == []

    def test_names_no_path_of_a_machine(self, page):
        shown = [cell["source"] for cell in cells(page)]
        for output in outputs(page):
            shown.append("".join(output.get("text", "")))
            shown += ["".join(data) for kind, data in output.get("data", {}).items() if kind.startswith("text/")]
        private = re.compile(r"(?<![\w.:/])/(root|home|tmp|work|Users|private|var)/\S*|[A-Z]:\\Users\S*")
        # a picture inside HTML is base64, in which anything may look like a path
        found = [private.search(re.sub(r"base64,[\w+/=]+", "", text)) for text in shown]
        assert [match[0] for match in found if match] == []
