"""The website: what its pages are made from, and that neither the build nor the checks let a mistake through.

All pages are built and checked by the part "website" of `make test-all` (scripts/make_docs.py, scripts/check_site.py).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from website import pages

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import check_site  # noqa: E402

CHAPTER = ROOT / "nbs" / "course" / "02_preprocessing.ipynb"


# Text and code of a page


def test_a_quotation_with_a_bold_head_becomes_a_box():
    text = pages.mend_text("Before.\n\n> **Limitations.** One\n> instrument.\n\nAfter.", CHAPTER)
    assert text == "Before.\n\n::::{admonition} Limitations\n:class: limits\nOne\ninstrument.\n::::\n\nAfter."
    assert pages.mend_text("> Only a quotation.", CHAPTER) == "> Only a quotation."


def test_hints_become_dropdowns():
    text = pages.mend_text("<details><summary>Hint 1</summary>\n\nDivide.\n\n</details>", CHAPTER)
    assert text == ":::{dropdown} Hint 1\nDivide.\n:::"


@pytest.mark.parametrize(
    "link, expected",
    [
        ("01_spectra.ipynb#Units", "01_spectra.ipynb#units"),
        ("#Summary", "#summary"),
        ("../../data/README.md#meat", "{repository}/blob/main/data/README.md#meat"),
        ("../../benchmarks", "{repository}/tree/main/benchmarks"),
        ("https://doi.org/10.1366/0003702894202201", "https://doi.org/10.1366/0003702894202201"),
    ],
)
def test_links_lead_to_pages_or_to_the_repository(link, expected):
    expected = expected.format(repository=pages.settings()["repository"])
    assert pages.mend_text(f"See [this]({link}).", CHAPTER) == f"See [this]({expected})."
    code = f"```md\n[this]({link})\n```"
    assert pages.mend_text(code, CHAPTER) == code


def test_of_a_progress_bar_the_last_state_is_shown():
    bar = " 0%|     | 0/2\r 50%|##   | 1/2\n100%|#####| 2/2\n"
    assert pages.last_states(f"start\n{bar}end\n") == "start\n100%|#####| 2/2\nend"


def test_chapters_bear_their_number():
    assert pages.shown_title("Preprocessing", CHAPTER) == "2. Preprocessing"
    exercise = CHAPTER.parent / "exercises" / CHAPTER.name
    assert pages.shown_title("Exercises: preprocessing", exercise) == "Exercises 2: preprocessing"
    assert pages.shown_title("Quickstart", CHAPTER.parent / "00_quickstart.ipynb") == "Quickstart"


def test_pages_that_run_in_the_browser_have_a_button(monkeypatch):
    assert pages.run_button("course/07_first_network") == ""
    monkeypatch.setattr(pages, "lite_link", {"course/02_preprocessing": "../lite/lab"}.get)
    assert pages.run_button("course/02_preprocessing").startswith("```{button-link} ../lite/lab\n")
    assert pages.run_button("course/07_first_network") == ""


def test_a_page_keeps_what_readers_see(tmp_path):
    page = pages.prepare_page(CHAPTER, tmp_path)
    cells = json.loads((tmp_path / "course" / "02_preprocessing.ipynb").read_text("utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells)
    assert source.startswith("# 2. Preprocessing\n\n{.subtitle}\nTake the scatter out")
    assert "google.colab" not in source and "#| " not in source
    assert len(page.figures) == sum("image/png" in json.dumps(cell.get("outputs", [])) for cell in cells) >= 3
    assert all(f"({figure.anchor})=" in source and figure.png.startswith(b"\x89PNG") for figure in page.figures)


def test_code_of_studies_and_solutions_is_folded(tmp_path):
    for name, prompt in [("studies/overfitting", "Show the code"), ("course/exercises/03_pls", "Show a solution")]:
        pages.prepare_page(ROOT / "nbs" / f"{name}.ipynb", tmp_path)
        cells = json.loads((tmp_path / f"{name}.ipynb").read_text("utf-8"))["cells"]
        folded = [cell["metadata"] for cell in cells if "hide-input" in cell["metadata"].get("tags", [])]
        assert len(folded) >= 3
        assert prompt in {cell["mystnb"]["code_prompt_show"] for cell in folded}


def test_cells_of_imports_are_known():
    assert pages.only_imports("import os\n\n# why\nfrom a.b import (\n    c,\n    d,\n)\n")
    assert not pages.only_imports("import os\nx = 1")
    assert not pages.only_imports("%pip install a")


def test_titles_of_figures_are_found():
    code = 'fig.suptitle("The\\nmessage")\nax.set_title("a panel")'
    assert pages.title_of_figure(code) == "The message"
    assert pages.title_of_figure('a.set_title("at 5 cm$^{-1}$")\nplot(x, title="right")') == "at 5 cm⁻¹; right"
    assert pages.title_of_figure('a.set_title(name)\nplot(x, title=None)\nprint("text")') == ""
    assert pages.title_of_figure("%matplotlib inline") == ""


def test_every_figure_has_alternative_text():
    """The line `#| fig-alt:` of its cell, or its title in plain words."""
    without = []
    for path in pages.pages_in_order():
        for cell in nbformat.from_dict(json.loads(path.read_text("utf-8"))).cells:
            cell.source = "".join(cell.source)
            if any(pages.pngs(cell)) and len(pages.alternative_text(cell, pages.options(cell.source))) < 12:
                without.append((path.stem, cell.id))
    assert without == []


# The build

GOOD = """
# Title

See `EMSC`, `EMSC(order=2)` and {py:func}`example.scale`.

```{eval-rst}
.. autofunction:: example.scale
.. py:class:: deep_chemometrics.preprocessing.EMSC
```
"""
MODULE = '''
def scale(X, factor=1):
    """Multiply spectra.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_channels)
        Spectra.
    {name} : float, default 1
        Multiplies all channels.
    """
'''


def build(folder: Path, text: str, parameter: str) -> tuple[int, str, Path]:
    """Status, messages and pages of a site of one page, built with the settings of the website."""
    source = folder / "source"
    source.mkdir()
    (source / "index.md").write_text(text, encoding="utf-8")
    (source / "preview.png").touch()
    facts = {
        "addresses": {"EMSC": "deep_chemometrics.preprocessing.EMSC"},
        "written": {},
        "subtitles": {"index": "One"},
    }
    (source / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    (folder / "example.py").write_text(MODULE.format(name=parameter), encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-b", "html", "-W", "--keep-going", "-q", "-c", str(ROOT / "website")]
    done = subprocess.run(
        [*command, str(source), str(folder / "html")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(folder)]), "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return done.returncode, done.stdout, folder / "html"


@pytest.mark.slow
def test_names_of_the_library_become_links(tmp_path):
    status, shown, site = build(tmp_path, GOOD, "factor")
    assert (status, shown) == (0, "")
    page = (site / "index.html").read_text("utf-8")
    assert (
        page.count('href="#deep_chemometrics.preprocessing.EMSC"') >= 3
    )  # twice in the text, and beside the class itself
    assert page.count('href="#example.scale"') >= 2
    assert 'property="og:image"' in page and check_site.Reader(page).without_text == []


@pytest.mark.slow
def test_a_mistake_stops_the_build(tmp_path):
    """A link to no page, a reference to no object, and a docstring with another parameter than the signature."""
    mistakes = "\n[to no page](no_page.ipynb)\n\n{py:func}`example.no_function`\n"
    status, shown, _ = build(tmp_path, GOOD + mistakes, "gain")
    assert status == 1
    assert "no_page.ipynb" in shown
    assert "reference target not found: example.no_function" in shown
    assert "example.scale: Parameters {'factor'} not documented; Unknown parameters {'gain'}" in shown


# The checks


def site_of(folder: Path, **bodies: str) -> Path:
    for name, body in bodies.items():
        head = f"<!DOCTYPE html><html><head><title>{name}</title><link rel='icon' href='data:,'>"
        head += "<meta name='viewport' content='width=device-width'></head><body><main><article>"
        (folder / f"{name}.html").write_text(f"{head}{body}</article></main></body></html>", encoding="utf-8")
    return folder


def test_links_that_lead_nowhere_are_found(tmp_path):
    one = "<a href='other.html#there'>1</a><a href='other.html#not-there'>2</a><a href='none.html'>3</a>"
    one += f"<a href='{check_site.repository()}/blob/main/no_file.md'>4</a><img src='none.png'>"
    wrong = check_site.check_files(site_of(tmp_path, one=one, other="<p id='there'><script src='//a.b/c.js'></script>"))
    assert sorted(wrong["links that lead nowhere"]) == [
        "one.html: none.html",
        "one.html: none.png",
        "one.html: other.html#not-there",
    ]
    assert len(wrong["links to files that are not in the repository"]) == 1
    assert wrong["pictures without a text"] == ["one.html: none.png"]
    assert wrong["parts loaded from elsewhere"] == ["other.html: //a.b/c.js"]
    assert len(wrong["notebooks without a page"]) > 100


@pytest.mark.slow
@pytest.mark.skipif(check_site.programs() is None, reason="no Chromium with chromedriver here")
def test_what_a_reader_would_notice_is_found(tmp_path):
    bad = "<p style='width: 900px'>wide</p><em style='color: #bbb'>pale</em><img src='none.png' alt='x'>"
    bad += "<script>console.error('broken'); fetch('http://localhost:9/elsewhere').catch(() => 0)</script>"
    site_of(tmp_path, bad=bad, good="<p>A short text.</p>")
    with check_site.Server(tmp_path) as address:
        found = "\n".join(check_site.in_browsers(address, ["bad.html", "good.html"], check_site.Browser.look))
    assert "good.html" not in found
    for words in ["at 390: 9", "contrast 1.", "picture not there", "broken", "request to http://localhost:9/elsewhere"]:
        assert words in found
