"""Pages of the API: one for each subpackage, one for each public name."""

import importlib
import inspect
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import nbformat

from website.pages import NBS, pages_in_order

WINGS = ("data", "preprocessing", "augmentation", "calibration", "networks", "explanation", "infrared", "plotting")
# Methods that estimators have from scikit-learn
GENERAL = {"fit_transform", "fit_predict", "get_params", "set_params", "set_output", "score", "get_feature_names_out"}


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
        if not callable(value) and not hasattr(value, "__get__"):  # neither method nor property
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
    """The first line of a function's docstring, the plain fields of a record; any other value in Python's notation."""
    function = getattr(value, "func", value)  # a builder of networks may be a partial function
    if inspect.isfunction(function) and function.__doc__:
        return function.__doc__.strip().splitlines()[0]
    if is_dataclass(value):
        given = {one.name: getattr(value, one.name) for one in fields(value) if one.name != "name"}
        plain = {name: one for name, one in given.items() if one not in (None, ()) and not callable(one)}
        return ", ".join(f"{name}: ``{one!r}``" for name, one in plain.items())
    return f"``{value!r}``"


def object_page(module: str, name: str, value, source: str, used: list[str]) -> str:
    """The page of one public name: its documentation, where it is written, and where it is used."""
    text = heading(name) + f".. currentmodule:: {module}\n\n"
    if inspect.isclass(value):
        own, others = methods(value)
        text += f".. autoclass:: {name}\n"
        text += f"   :members: {', '.join(own)}\n\n" if own else "\n"
        general = [f"``{one}``" for one in others if one in GENERAL]
        if general and hasattr(value, "get_params"):
            text += f"As all estimators of scikit-learn it also has {', '.join(general)}.\n\n"
    elif callable(value):
        text += f".. autofunction:: {name}\n\n"
    else:
        text += mapping_text(name, value)
    text += f".. rubric:: Source\n\nExplained, written and tested on the page :doc:`/{source}`.\n\n"
    if used:
        text += ".. rubric:: Used in\n\n" + "".join(f"- :doc:`/{page}`\n" for page in used) + "\n"
    return text


def wing_page(wing: str, names: list[str], source: str) -> str:
    """The page of a subpackage: its purpose, and a table of what is in it."""
    module = importlib.import_module(f"deep_chemometrics.{wing}")
    objects = [name for name in names if callable(getattr(module, name))]
    text = heading(module.__name__)
    text += f".. py:module:: {module.__name__}\n\n.. rst-class:: subtitle\n\n{module.__doc__.strip()}\n\n"
    text += f"How they belong together: :doc:`/{source}`.\n\n"
    text += f".. currentmodule:: {module.__name__}\n\n.. autosummary::\n   :nosignatures:\n\n"
    text += "".join(f"   {name}\n" for name in objects) + "\n"
    mappings = [name for name in names if name not in objects]
    if mappings:
        text += "Dictionaries: " + ", ".join(f":py:data:`{name}`" for name in mappings) + ".\n\n"
    return text + ".. toctree::\n   :hidden:\n\n" + "".join(f"   {wing}/{name}\n" for name in names)


def index_page(names: dict[str, list[str]]) -> str:
    """All public names on one page."""
    text = heading("API reference")
    text += ".. rst-class:: subtitle\n\nEvery public name, by subpackage\n\n"
    text += "A name has one address: ``from deep_chemometrics.preprocessing import EMSC``.\n\n"
    for wing, inside in names.items():
        doc = importlib.import_module(f"deep_chemometrics.{wing}").__doc__.strip()
        listed = ", ".join(f":py:obj:`~deep_chemometrics.{wing}.{name}`" for name in inside)
        text += f".. rubric:: :doc:`{wing} <{wing}>`\n\n{doc}\n\n.. rst-class:: names\n\n{listed}\n\n"
    return text + ".. toctree::\n   :hidden:\n\n" + "".join(f"   {wing} <{wing}>\n" for wing in names)


def write_api(target: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Write all pages; the address of each public name, and for each page the notebook that it documents."""
    names = public_names()
    sources = source_pages()
    used = users(names)
    addresses, written = {}, {}
    for wing, inside in names.items():
        module = f"deep_chemometrics.{wing}"
        (target / "api" / wing).mkdir(parents=True, exist_ok=True)
        text = wing_page(wing, inside, sources[module])
        (target / "api" / f"{wing}.rst").write_text(text, encoding="utf-8")
        written[f"api/{wing}"] = sources[module]
        for name in inside:
            value = getattr(importlib.import_module(module), name)
            source = sources.get(getattr(value, "__module__", None), sources[module])
            text = object_page(module, name, value, source, used[name])
            (target / "api" / wing / f"{name}.rst").write_text(text, encoding="utf-8")
            addresses[name] = f"{module}.{name}"
            written[f"api/{wing}/{name}"] = source
    (target / "api" / "index.rst").write_text(index_page(names), encoding="utf-8")
    return addresses, written
