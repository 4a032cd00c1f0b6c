"""The sources of the website in _proc/: pages from the notebooks, pages of the API from the package, and a gallery.

A page is its notebook as readers see it: hidden cells and option lines are gone, code of the studies and of helpers is
folded, quotations with a bold head become boxes, and links out of nbs/ lead to the repository.
"""

import base64
import importlib
import inspect
import io
import json
import os
import re
import shutil
import sys
from configparser import ConfigParser
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
WINGS = ("data", "preprocessing", "augmentation", "calibration", "networks", "explanation", "infrared", "plotting")

sys.path.insert(0, str(ROOT / "scripts"))
from cells import for_readers, options, pngs  # noqa: E402


def repository() -> str:
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return config["DEFAULT"]["repository"]


# Text of a page

TITLE = re.compile(r"\A# (.+?)\n+(?:> (.+?)(?:\n\n|\Z))?", re.S)
DETAILS = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.S)
QUOTATION = re.compile(r"(?:^>.*\n?)+", re.M)
CODE = re.compile(r"^(```|~~~).*?^\1[^\S\n]*$", re.M | re.S)
LINK = re.compile(r"(\]\()([^)\s]+)(\))")
HEAD = re.compile(r"\*\*(.+?)\*\*\s*")
# Heads of boxes, and the look of each
BOXES = {
    "What you will learn": "learn",
    "Limitations and deviations": "limits",
    "Limitations": "limits",
    "Limits of this chapter": "limits",
}


def box(quotation: str) -> str:
    """A quotation that begins with a bold head as an admonition; any other as it is."""
    text = re.sub(r"^> ?", "", quotation.strip("\n"), flags=re.M)
    head = HEAD.match(text)
    if not head:
        return quotation
    name = head[1].rstrip(".:?")
    if name.startswith("Coming from"):
        return f"::::{{admonition}} Where you come from\n:class: reader\n{text}\n::::\n"
    if name not in BOXES:
        return quotation
    rest = text[head.end() :].lstrip(":\n")
    return f"::::{{admonition}} {name}\n:class: {BOXES[name]}\n{rest}\n::::\n"


def dropdown(match: re.Match) -> str:
    return f":::{{dropdown}} {match[1].strip()}\n{match[2].strip()}\n:::"


def outside_code(text: str, function) -> str:
    """`function` applied to what stands between blocks of code."""
    parts = []
    end = 0
    for block in CODE.finditer(text):
        parts += [function(text[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*parts, function(text[end:])])


def mend_link(target: str, page: Path) -> str:
    """A link of a page; one that leaves nbs/ leads to the repository."""
    if re.match(r"[a-z]+:|/", target):
        return target
    path, _, anchor = target.partition("#")
    there = Path(os.path.normpath(page.parent / path))
    if not path or there.is_relative_to(NBS):
        return path + (f"#{anchor.lower()}" if anchor else "")  # JupyterLab keeps capitals in its anchors
    kind = "tree" if there.is_dir() else "blob"
    place = os.path.relpath(there, ROOT).replace(os.sep, "/")
    return f"{repository()}/{kind}/main/{place}" + (f"#{anchor}" if anchor else "")


def mend_text(text: str, page: Path) -> str:
    text = DETAILS.sub(dropdown, text)
    text = outside_code(text, lambda part: QUOTATION.sub(lambda match: box(match[0]), part))
    return outside_code(text, lambda part: LINK.sub(lambda m: m[1] + mend_link(m[2], page) + m[3], part))


# Code and outputs of a page

COLAB = re.compile(r'^if "google\.colab" in sys\.modules', re.M)
STYLE = re.compile(r"<style scoped>.*?</style>\n?", re.S)
PROGRESS = re.compile(r"\d+%\|")


def last_states(text: str) -> str:
    """Of a progress bar only its last state."""
    lines = []
    for line in re.split(r"\r\n?|\n", text):
        if lines and PROGRESS.search(line) and PROGRESS.search(lines[-1]):
            lines[-1] = line
        elif line.strip() or (lines and not PROGRESS.search(lines[-1])):
            lines.append(line)
    return "\n".join(lines).strip("\n")


def mend_outputs(outputs: list) -> list:
    """Streams in one piece each, tables without styles of their own."""
    kept = []
    for output in outputs:
        if output.output_type == "stream":
            before = kept[-1] if kept else None
            if before and before.output_type == "stream" and before.name == output.name:
                before.text += output.text
                continue
        elif "text/html" in output.get("data", {}):
            output.data["text/html"] = STYLE.sub("", output.data["text/html"])
        kept.append(output)
    for output in kept:
        if output.output_type == "stream" and output.name == "stderr":
            output.text = last_states(output.text)
    return [output for output in kept if output.output_type != "stream" or output.text.strip()]


@dataclass
class Figure:
    page: str
    anchor: str
    caption: str
    png: bytes


@dataclass
class Page:
    """A page from a notebook."""

    name: str  # as Sphinx calls it: the path in nbs/ without suffix
    title: str = ""
    subtitle: str = ""
    figures: list[Figure] = field(default_factory=list)


def folded(found: dict[str, str], tags: list[str]) -> bool:
    """Whether code is folded: what studies run, and helpers. `#| exports` says that code is to be seen."""
    return "hide-input" in tags or bool(found.keys() & {"export", "exportd"})


def code_cell(cell, found: dict[str, str], page: Page) -> None:
    """Folding, pictures and outputs of a cell, as MyST-NB understands them."""
    tags = list(cell.metadata.get("tags", []))
    settings = {}
    if cell.metadata.get("nbgrader", {}).get("solution"):
        tags.append("hide-input")
        settings |= {"code_prompt_show": "Show a solution", "code_prompt_hide": "Hide the solution"}
    elif folded(found, tags):
        tags.append("hide-input")
        settings |= {"code_prompt_show": "Show the code", "code_prompt_hide": "Hide the code"}
    if cell.metadata.get("transient", {}).get("remove_source"):
        tags.append("remove-input")
    images = list(pngs(cell))
    caption = found.get("fig-cap", "")
    alt = found.get("fig-alt") or caption or found.get("label", "figure").removeprefix("fig-").replace("-", " ")
    if images:
        settings["image"] = {"alt": alt, "classes": "figure-card"}
        anchor = f"fig-{page.name.replace('/', '-')}-{found.get('label', cell.id).removeprefix('fig-')}".lower()
        if caption:
            settings["figure"] = {"caption": caption}
        page.figures += [Figure(page.name, anchor, alt, base64.b64decode(image.data["image/png"])) for image in images]
    cell.metadata = nbformat.from_dict({"tags": sorted(set(tags)), "mystnb": settings})
    cell.outputs = mend_outputs(cell.outputs)


def shown_title(title: str, path: Path) -> str:
    """Chapters and their exercises bear their number."""
    number = re.match(r"(\d\d)_", path.name)
    if number and path.parent.name == "course" and number[1] != "00":
        return f"{int(number[1])}. {title}"
    if number and path.parent.name == "exercises":
        return f"Exercises {int(number[1])}: {title.removeprefix('Exercises: ')}"
    return title


def prepare_page(path: Path, target: Path) -> Page:
    """Write the page of one notebook; what the rest of the site needs to know of it."""
    original = nbformat.read(path, as_version=4)
    found = {cell.id: options(cell.source) for cell in original.cells}
    notebook = for_readers(original)
    page = Page(path.relative_to(NBS).with_suffix("").as_posix())
    cells = []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "readme-only" in tags or (cell.cell_type == "code" and COLAB.search(cell.source)):
            continue
        if cell.cell_type == "code":
            before = len(page.figures)
            code_cell(cell, found[cell.id], page)
            if len(page.figures) > before:
                cells.append(nbformat.v4.new_markdown_cell(f"({page.figures[-1].anchor})=\n"))
        else:
            title = TITLE.match(cell.source)
            if title and not page.title:
                page.title, page.subtitle = shown_title(title[1].strip(), path), (title[2] or "").replace("\n", " ")
                head = f"# {page.title}\n\n"
                if page.subtitle:
                    head += f"{{.subtitle}}\n{page.subtitle}\n\n"
                cell.source = head + cell.source[title.end() :]
            cell.source = mend_text(cell.source, path)
        cells.append(cell)
    notebook.cells = cells
    place = target / f"{page.name}.ipynb"
    place.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place)
    return page


# The API


def public_names() -> dict[str, list[str]]:
    """The public names of each subpackage, in the order in which its page presents them."""
    found = {}
    for wing in WINGS:
        page = (NBS / "library" / wing / f"00_{wing}.ipynb").read_text(encoding="utf-8")
        names = importlib.import_module(f"deep_chemometrics.{wing}").__all__
        found[wing] = sorted(names, key=lambda name: (f"`{name}`" not in page, page.find(f"`{name}`"), name))
    return found


def source_pages() -> dict[str, str]:
    """Module -> page of the library that it is exported from."""
    pages = {}
    for path in sorted((NBS / "library").rglob("*.ipynb")):
        module = re.search(r"#\| default_exp ([\w.]+)", path.read_text(encoding="utf-8"))
        if module:
            name = f"deep_chemometrics.{module[1]}".removesuffix(".__init__")
            pages[name] = path.relative_to(NBS).with_suffix("").as_posix()
    return pages


def users(names: dict[str, list[str]]) -> dict[str, list[str]]:
    """Public name -> pages outside the library that import it."""
    imports = re.compile(r"from deep_chemometrics\.\w+ import (\([^)]*\)|[^\n]*)")
    found = {name: [] for wing in names.values() for name in wing}
    for path in pages_in_order():
        page = path.relative_to(NBS).with_suffix("").as_posix()
        if not page.startswith("library"):
            code = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
            words = set(re.findall(r"\w+", " ".join(imports.findall(code))))
            for name in words & found.keys():
                found[name].append(page)
    return found


def methods(cls: type) -> tuple[list[str], list[str]]:
    """Public methods and properties written in this package, and those inherited from elsewhere."""
    own, others = [], []
    for name in dir(cls):
        if name.startswith("_") or re.fullmatch(r"set_\w+_request", name):
            continue
        owner = next(base for base in cls.__mro__ if name in vars(base))
        value = inspect.getattr_static(cls, name)
        if not (
            callable(value) or isinstance(value, (property, classmethod, staticmethod)) or hasattr(value, "__get__")
        ):
            continue
        documented = inspect.getdoc(getattr(cls, name, None))
        (own if owner.__module__.startswith("deep_chemometrics") and documented else others).append(name)
    return own, others


def heading(text: str) -> str:
    return f"{text}\n{'=' * len(text)}\n\n"


def mapping_text(name: str, mapping: dict) -> str:
    """A dictionary, with its keys and what it holds for them."""
    rows = "".join(f"      * - ``{key}``\n        - {described(value)}\n" for key, value in mapping.items())
    table = "   .. list-table::\n      :header-rows: 1\n\n      * - key\n        - value\n"
    return f".. py:data:: {name}\n   :type: dict\n\n{table}{rows}\n"


def described(value) -> str:
    """The first line of the docstring of a function; any other value in Python's notation."""
    function = getattr(value, "func", value)  # a builder of networks may be a partial function
    if inspect.isfunction(function) and function.__doc__:
        return function.__doc__.strip().splitlines()[0]
    return f"``{getattr(value, 'label', value)!r}``"


def api_page(wing: str, name: str, sources: dict[str, str], used: list[str]) -> str:
    """The page of one public name."""
    module = f"deep_chemometrics.{wing}"
    value = getattr(importlib.import_module(module), name)
    text = heading(name) + f".. currentmodule:: {module}\n\n"
    if inspect.isclass(value):
        own, others = methods(value)
        text += f".. autoclass:: {name}\n"
        text += f"   :members: {', '.join(own)}\n\n" if own else "\n"
        general = [f"``{one}``" for one in others if one in SKLEARN]
        if general and hasattr(value, "get_params"):
            text += f"Also, from scikit-learn: {', '.join(general)}.\n\n"
    elif callable(value):
        text += f".. autofunction:: {name}\n\n"
    else:
        text += mapping_text(name, value)
    written = sources.get(getattr(value, "__module__", None), sources[module])
    text += f".. rubric:: Source\n\nExplained, written and tested on the page :doc:`/{written}`.\n\n"
    if used:
        text += ".. rubric:: Used in\n\n" + "".join(f"- :doc:`/{page}`\n" for page in used) + "\n"
    return text


SKLEARN = {"fit_transform", "fit_predict", "get_params", "set_params", "set_output", "score", "get_feature_names_out"}


def write_api(target: Path) -> dict[str, str]:
    """Pages of the API; public name -> address."""
    names = public_names()
    sources = source_pages()
    used = users(names)
    folder = target / "api"
    for wing, inside in names.items():
        module = f"deep_chemometrics.{wing}"
        (folder / wing).mkdir(parents=True, exist_ok=True)
        objects = [name for name in inside if callable(getattr(importlib.import_module(module), name))]
        text = heading(module)
        text += f".. py:module:: {module}\n\n{importlib.import_module(module).__doc__.strip()}.\n\n"
        text += f"What belongs together, and how it is written: :doc:`/{sources[module]}`.\n\n"
        text += f".. currentmodule:: {module}\n\n.. autosummary::\n   :nosignatures:\n\n"
        text += "".join(f"   {name}\n" for name in objects) + "\n"
        mappings = [name for name in inside if name not in objects]
        if mappings:
            text += "Dictionaries: " + ", ".join(f":py:data:`{name}`" for name in mappings) + ".\n\n"
        text += ".. toctree::\n   :hidden:\n\n" + "".join(f"   {wing}/{name}\n" for name in inside)
        (folder / f"{wing}.rst").write_text(text, encoding="utf-8")
        for name in inside:
            page = api_page(wing, name, sources, used[name])
            (folder / wing / f"{name}.rst").write_text(page, encoding="utf-8")
    text = heading("API reference")
    text += (
        "Every public name has one address, its subpackage: ``from deep_chemometrics.preprocessing import EMSC``.\n\n"
    )
    for wing, inside in names.items():
        doc = importlib.import_module(f"deep_chemometrics.{wing}").__doc__.strip()
        listed = ", ".join(f":py:obj:`~deep_chemometrics.{wing}.{name}`" for name in inside)
        text += f":doc:`{wing} <{wing}>`\n   {doc}:\n   {listed}\n\n"
    text += ".. toctree::\n   :hidden:\n\n" + "".join(f"   {wing} <{wing}>\n" for wing in names)
    (folder / "index.rst").write_text(text, encoding="utf-8")
    return {name: f"deep_chemometrics.{wing}.{name}" for wing, inside in names.items() for name in inside}


# The gallery

GALLERY = {
    "course": "Course",
    "studies": "Studies",
    "guides": "Guides",
    "datasets": "Data sets",
    "library/plotting": "Functions for figures",
}


def write_gallery(target: Path, pages: list[Page]) -> None:
    """Small pictures of all figures, each with a link to the code that made it."""
    folder = target / "_pictures"
    folder.mkdir(exist_ok=True)
    text = "# Gallery\n\n{.subtitle}\nFigures of the course, the studies and the guides: each leads to its code\n\n"
    for place, name in GALLERY.items():
        text += f"## {name}\n\n"
        for page in pages:
            if page.name.rpartition("/")[0] != place or not page.figures:
                continue
            text += f"### [{page.title}](/{page.name}.ipynb)\n\n"
            text += "::::{grid} 2 2 3 3\n:gutter: 2\n:class-container: gallery\n\n"
            for number, figure in enumerate(page.figures):
                name = f"{figure.anchor}-{number}.webp"
                with Image.open(io.BytesIO(figure.png)) as picture:
                    picture = picture.convert("RGBA")
                    picture.thumbnail((480, 360))
                    white = Image.new("RGB", picture.size, "white")
                    white.paste(picture, mask=picture.getchannel("A"))
                    white.save(folder / name, quality=80)
                text += f":::{{grid-item}}\n[![{figure.caption}](/_pictures/{name})](#{figure.anchor})\n:::\n"
            text += "::::\n\n"
    (target / "gallery.md").write_text(text, encoding="utf-8")


# The order of pages


def toctree(caption: str, entries: list[str], hidden: bool = True) -> str:
    lines = ["```{toctree}"] + [":hidden:"] * hidden + [f":caption: {caption}"] * bool(caption)
    return "\n".join([*lines, "", *entries, "```", ""])


def pages_in_order() -> list[Path]:
    return [path for path in sorted(NBS.rglob("*.ipynb")) if not any(part[0] in "._" for part in path.parts[-2:])]


def entries(folder: str, pages: list[Page], numbered: bool | None = None) -> list[str]:
    """Pages that lie in a folder; those with a number in their name, or those without, if asked for."""
    names = [page.name for page in pages if page.name.rpartition("/")[0] == folder]
    if numbered is None:
        return names
    return [name for name in names if name.rpartition("/")[2][0].isdigit() == numbered]


def front_page(page: Path, pages: list[Page]) -> None:
    """Cards and the table of contents go into the page that the notebook gives."""
    notebook = nbformat.read(page, as_version=4)
    cards = (Path(__file__).parent / "front.md").read_text(encoding="utf-8")
    contents = [
        toctree(
            "Course", [*entries("course", pages, True), "course/exercises/index", *entries("course", pages, False)]
        ),
        toctree("Guides", entries("guides", pages)),
        toctree("Library", ["api/index", "library/00_package"]),
        toctree("Data sets", entries("datasets", pages)),
        toctree("Studies", entries("studies", pages)),
        toctree("More", ["gallery"]),
    ]
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(cards))
    notebook.cells.append(nbformat.v4.new_markdown_cell("\n".join(contents)))
    nbformat.write(notebook, page)


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
    addresses = write_api(target)
    write_gallery(target, pages)
    add_contents(target, pages)
    facts = {"addresses": addresses, "subtitles": {page.name: page.subtitle for page in pages}}
    (target / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
