"""The sources of the website in _proc/source: pages from the notebooks, the API, a gallery, and their order."""

import json
import re
import shutil
from pathlib import Path

import nbformat

from website.api import WINGS, write_api
from website.extension import lite_link
from website.gallery import write_gallery
from website.pages import NBS, Page, pages_in_order, prepare_page, settings
from website.preview import draw_preview

# The chapters of each part of the course
PARTS = {
    "I Spectra and calibration": range(1, 7),
    "II Networks": range(7, 12),
    "III Trust": range(12, 16),
    "IV Infrared": range(16, 18),
    "V Practice": range(18, 100),
}


def toctree(caption: str, entries: list[str]) -> str:
    options = [":hidden:"] + [f":caption: {caption}"] * bool(caption)
    return "\n".join(["```{toctree}", *options, "", *entries, "```", ""])


def entries(folder: str, pages: list[Page], numbered: bool | None = None) -> list[str]:
    """Pages that lie in a folder; those with a number in their name, or those without, if asked for."""
    names = [page.name for page in pages if page.name.rpartition("/")[0] == folder]
    if numbered is None:
        return names
    return [name for name in names if name.rpartition("/")[2][0].isdigit() == numbered]


def run_link() -> str:
    """Where the card of the front page leads that runs the course: to JupyterLite if it was built, else to Binder."""
    if lite_link("index"):
        return lite_link("index")
    project = "/".join(settings()["repository"].split("/")[-2:])
    return f"https://mybinder.org/v2/gh/{project}/main?urlpath=lab/tree/nbs/course/00_quickstart.ipynb"


def front_page(page: Path, pages: list[Page]) -> None:
    """Cards and the table of contents go into the page that the notebook gives."""
    notebook = nbformat.read(page, as_version=4)
    cards = (Path(__file__).parent / "front.md").read_text(encoding="utf-8").replace("{run}", run_link())
    parts = [toctree(title, [f"course/{name}" for name in names]) for title, names in course_parts(pages).items()]
    more = [name for name in entries("course", pages, False) if name != "course/paths"]
    contents = [
        toctree("Course", ["course/00_quickstart", "course/paths"]),
        *parts,
        toctree("Beside the chapters", ["course/exercises/index", *more]),
        toctree("Your own data", entries("guides", pages)),
        toctree("Library", ["API reference <api/index>", "Source pages <library/00_package>", "gallery"]),
        toctree("Data sets", entries("datasets", pages)),
        toctree("Studies", entries("studies", pages)),
    ]
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(cards))
    notebook.cells.append(nbformat.v4.new_markdown_cell("\n".join(contents)))
    nbformat.write(notebook, page)


def course_parts(pages: list[Page]) -> dict[str, list[str]]:
    """The chapters by part of the course. Every numbered chapter is in one."""
    chapters = [page.name.removeprefix("course/") for page in pages if re.match(r"course/\d\d_", page.name)]
    found = {title: [name for name in chapters if int(name[:2]) in numbers] for title, numbers in PARTS.items()}
    missing = set(chapters) - {"00_quickstart"} - {name for names in found.values() for name in names}
    if missing:
        raise ValueError(f"{sorted(missing)} are in no part of the course: complete PARTS in website/prepare.py.")
    return found


def add_contents(target: Path, pages: list[Page]) -> None:
    """Tables of contents: of the site, of the exercises, of the library and its subpackages."""
    front_page(target / "index.ipynb", pages)
    exercises = entries("course/exercises", pages)
    subtitles = {page.name: page.subtitle for page in pages}
    titles = {page.name: page.title for page in pages}
    text = "# Exercises\n\n{.subtitle}\nOne notebook for each chapter, with hints, tests and solutions\n\n"
    text += "".join(f"- [{titles[name]}](/{name}.ipynb): {subtitles[name]}\n" for name in exercises)
    text += "\n" + toctree("", [name.rpartition("/")[2] for name in exercises])
    (target / "course" / "exercises" / "index.md").write_text(text, encoding="utf-8")
    package = [f"{wing}/00_{wing}" for wing in WINGS]
    package += [name.removeprefix("library/") for name in entries("library", pages) if "00_" not in name]
    inside = {"library/00_package": package}
    for wing in WINGS:
        modules = [name.rpartition("/")[2] for name in entries(f"library/{wing}", pages)]
        inside[f"library/{wing}/00_{wing}"] = [name for name in modules if not name.startswith("00_")]
    for name, listed in inside.items():
        path = target / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.append(nbformat.v4.new_markdown_cell(toctree("", listed)))
        nbformat.write(notebook, path)


def prepare(target: Path) -> None:
    """Write all sources of the website into `target`, which is emptied."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    pages = [prepare_page(path, target) for path in pages_in_order()]
    if (NBS / "images").exists():
        shutil.copytree(NBS / "images", target / "images")
    addresses, written = write_api(target)
    write_gallery(target, pages)
    add_contents(target, pages)
    draw_preview(target / "preview.png")
    subtitles = {page.name: page.subtitle for page in pages}
    facts = {"addresses": addresses, "written": written, "subtitles": subtitles}
    (target / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
