"""What the website adds to Sphinx: links to the API, anchors, buttons, tags for link previews, and its own MathJax."""

import importlib.util
import json
import re
import shutil
from pathlib import Path

from docutils import nodes
from numpydoc.validate import validate
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
ANCHOR = re.compile(r"<a id=[\"']([\w-]+)[\"']\s*/?>(?:</a>)?")
NAME = re.compile(r"\w*(?=\(|$)")  # of a public object, alone or with a call: `EMSC`, `read_spc(path)`
# What the pages load of MathJax; the rest is for other inputs and outputs
MATHJAX = ["tex-chtml.js", "input/tex/extensions", "output/chtml/fonts/woff-v2"]


def lite_link(page: str) -> str | None:
    """Address that runs a page in the browser, relative to it; None where JupyterLite was not built or has it not.

    scripts/make_lite.py builds _docs/lite/, which `make docs` keeps, and knows which pages are in it.
    """
    if not (ROOT / "_docs" / "lite").is_dir():
        return None
    from make_lite import lite_link

    return lite_link(page)


def link_names(app: Sphinx, document: nodes.document) -> None:
    """Inline code that is a public name of the library becomes a link to its page."""
    addresses = app.config.facts["addresses"]
    here = app.env.docname
    for literal in list(document.findall(nodes.literal)):
        match = NAME.match(literal.astext())
        name = match[0] if match else ""
        if name not in addresses or isinstance(literal.parent, (nodes.reference, nodes.title, addnodes.pending_xref)):
            continue
        if here.startswith("api/") and here.rpartition("/")[2] == name:
            continue
        link = addnodes.pending_xref(
            "", refdomain="py", reftype="obj", reftarget=addresses[name], refexplicit=True, refdoc=here, refwarn=True
        )
        literal.replace_self(link)
        link += literal


def add_anchors(app: Sphinx, document: nodes.document) -> None:
    """`<a id="snv"></a>` in a table becomes a target that other pages can link to."""
    slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for raw in list(document.findall(nodes.raw)):
        match = ANCHOR.fullmatch(raw.astext().strip())
        if match:
            target = nodes.target("", "", ids=[match[1]])
            raw.replace_self(target)
            slugs[match[1]] = (0, match[1], match[1])
        elif raw.astext().strip() == "</a>":
            raw.parent.remove(raw)


def prepare_document(app: Sphinx, document: nodes.document) -> None:
    add_anchors(app, document)
    link_names(app, document)


def check_parameters(app: Sphinx, kind: str, name: str, value, options, lines: list[str]) -> None:
    """Documented parameters are those of the signature, in their order."""
    if kind not in {"class", "function", "method"} or not any(line.strip() == "Parameters" for line in lines):
        return
    problems = [text for code, text in validate(name)["errors"] if code in {"PR01", "PR02", "PR03"}]
    if problems:
        logger.warning("%s: %s", name, "; ".join(problems))


def add_to_page(app: Sphinx, page: str, template: str, context: dict, document: nodes.document | None) -> None:
    """Tags for previews of links, and the buttons of a page."""
    facts = app.config.facts
    title = re.sub("<[^>]+>", "", context.get("title") or app.config.project)
    description = facts["subtitles"].get(page) or facts["subtitles"]["index"]
    tags = {
        "og:title": title,
        "og:description": description.replace("`", ""),
        "og:type": "article",
        "og:site_name": app.config.project,
        "og:url": f"{app.config.html_baseurl}{page}.html",
        "og:image": f"{app.config.html_baseurl}_static/preview.png",
    }
    escaped = {key: value.replace("&", "&amp;").replace('"', "&quot;") for key, value in tags.items()}
    lines = [f'<meta property="{key}" content="{value}">' for key, value in escaped.items()]
    lines.append(f'<meta name="description" content="{escaped["og:description"]}">')
    lines.append('<meta name="twitter:card" content="summary_large_image">')
    context["metatags"] = context.get("metatags", "") + "\n".join(lines)


def add_buttons(app: Sphinx, page: str, template: str, context: dict, document: nodes.document | None) -> None:
    """The buttons of the theme, with one that runs the page in the browser.

    A page of the API is written in a notebook of the library: its buttons lead there. Pages that no file of the
    repository gives have neither source nor download.
    """
    link = lite_link(page)
    if link:
        run = {"tooltip": "Run this page in the browser", "icon": "fas fa-play", "label": "run-button"}
        context["header_buttons"].insert(0, {"type": "link", "url": link, "text": "", **run})
    written = app.config.facts["written"].get(page)
    if page in app.config.facts["subtitles"]:
        return
    kept = []
    for button in context.get("header_buttons", []):
        if button["label"] == "download-buttons":
            continue
        if button["label"] == "source-buttons":
            of_file = {"source-file-button": "blob", "source-edit-button": "edit"}
            for one in button["buttons"]:
                if written and one["label"] in of_file:
                    repository = app.config.html_theme_options["repository_url"]
                    one["url"] = f"{repository}/{of_file[one['label']]}/main/nbs/{written}.ipynb"
            button["buttons"] = [one for one in button["buttons"] if written or one["label"] not in of_file]
        kept.append(button)
    context["header_buttons"] = kept


def copy_files(app: Sphinx, error: Exception | None) -> None:
    """The picture for previews; as downloads the notebooks of the repository, not what pages were made from."""
    if error is None:
        for template in (Path(app.outdir) / "_static").glob("*webpack-macros.html"):
            template.unlink()  # the theme's, of no use to a reader
        shutil.copy(Path(app.srcdir) / "preview.png", Path(app.outdir) / "_static")
        for page in app.config.facts["subtitles"]:
            shutil.copy(ROOT / "nbs" / f"{page}.ipynb", Path(app.outdir) / "_sources" / f"{page}.ipynb")


def copy_mathjax(app: Sphinx, error: Exception | None) -> None:
    """MathJax comes from the package sphinx-mathjax-offline."""
    if error is not None:
        return
    found = importlib.util.find_spec("sphinx-mathjax-offline")
    source = Path(found.origin).parent / "static" / "mathjax"
    target = Path(app.outdir) / "_static" / "mathjax"
    for name in MATHJAX:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, dirs_exist_ok=True)
        else:
            shutil.copy(source / name, target / name)


def read_facts(app: Sphinx) -> None:
    app.config.facts = json.loads((Path(app.srcdir) / "facts.json").read_text(encoding="utf-8"))


def setup(app: Sphinx) -> dict:
    app.add_config_value("facts", {}, "")
    app.connect("builder-inited", read_facts)
    app.connect("doctree-read", prepare_document)
    app.connect("autodoc-process-docstring", check_parameters, priority=100)  # before numpydoc rewrites the lines
    app.connect("html-page-context", add_to_page)
    app.connect("html-page-context", add_buttons, priority=900)
    app.connect("build-finished", copy_mathjax)
    app.connect("build-finished", copy_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
