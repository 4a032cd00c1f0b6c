"""Pages of the website from notebooks, as readers see them.

Hidden cells and option lines are gone, code of the studies and of helpers is folded, quotations with a bold head become
boxes, chapters bear their number, and links out of nbs/ lead to the repository.
"""

import ast
import base64
import os
import re
import sys
from configparser import ConfigParser
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"

sys.path.insert(0, str(ROOT / "scripts"))
from cells import for_readers, options, pngs  # noqa: E402

from website.extension import lite_link  # noqa: E402


def settings() -> dict[str, str]:
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return dict(config["DEFAULT"])


def pages_in_order() -> list[Path]:
    return [path for path in sorted(NBS.rglob("*.ipynb")) if not any(part[0] in "._" for part in path.parts[-2:])]


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
    return f"{settings()['repository']}/{kind}/main/{place}" + (f"#{anchor}" if anchor else "")


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


def only_imports(source: str) -> bool:
    try:
        statements = ast.parse(source).body
    except SyntaxError:  # a command of IPython
        return False
    return all(isinstance(one, (ast.Import, ast.ImportFrom)) for one in statements)


def title_of_figure(source: str) -> str:
    """The titles that code writes on a figure in plain words: that of the whole figure, or those of its panels."""
    try:
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except SyntaxError:  # a command of IPython
        return ""
    whole, panels = [], []
    for call in calls:
        name = getattr(call.func, "attr", "")
        written = call.args[:1] if name in ("suptitle", "set_title", "title") else []
        written += [keyword.value for keyword in call.keywords if keyword.arg == "title"]
        texts = [one.value for one in written if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        (whole if name == "suptitle" else panels).extend(texts)
    return re.sub(r"\s+", " ", "; ".join(whole or panels)).replace("cm$^{-1}$", "cm⁻¹")


def alternative_text(cell, found: dict[str, str]) -> str:
    """What a figure shows, for those who do not see it."""
    written = found.get("fig-alt") or found.get("fig-cap") or title_of_figure(cell.source)
    is_solution = cell.metadata.get("nbgrader", {}).get("solution")
    return written or ("Figure of a solution" if is_solution else "")


def code_cell(cell, found: dict[str, str], page: Page) -> None:
    """Folding, pictures and outputs of a cell, as MyST-NB understands them."""
    tags = list(cell.metadata.get("tags", []))
    settings = {}
    if cell.metadata.get("nbgrader", {}).get("solution"):
        tags.append("hide-input")
        settings |= {"code_prompt_show": "Show a solution", "code_prompt_hide": "Hide the solution"}
    elif folded(found, tags):
        what = "imports" if only_imports(cell.source) else "code"
        tags.append("hide-input")
        settings |= {"code_prompt_show": f"Show the {what}", "code_prompt_hide": f"Hide the {what}"}
    if cell.metadata.get("transient", {}).get("remove_source"):
        tags.append("remove-input")
    images = list(pngs(cell))
    caption = found.get("fig-cap") or found.get("fig-alt", "")
    alt = alternative_text(cell, found)
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


def run_button(page: str) -> str:
    """A button that runs the page in the browser, on pages for which scripts/make_lite.py does so."""
    link = lite_link(page)
    button = "```{{button-link}} {}\n:color: primary\n:outline:\n\n{{octicon}}`play;1em` Run in the browser\n```\n\n"
    return button.format(link) if link else ""


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
                head += run_button(page.name)
                cell.source = head + cell.source[title.end() :]
            cell.source = mend_text(cell.source, path)
        cells.append(cell)
    notebook.cells = cells
    place = target / f"{page.name}.ipynb"
    place.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place)
    return page
