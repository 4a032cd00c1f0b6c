"""The pages around the chapters: the cheat sheet names what exists, and every environment installs this package."""

import ast
import importlib.util
import inspect
import json
import os
import re
import shutil
from configparser import ConfigParser

import pytest
from pages import ROOT, cells

COURSE = ROOT / "nbs" / "course"
PAGES = ["cheat_sheet", "paths", "teaching"]
PARTS = "data|preprocessing|augmentation|calibration|networks|explanation|infrared|plotting"


def settings() -> dict[str, str]:
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return dict(config["DEFAULT"])


def prose(page) -> str:
    return "\n\n".join(cell["source"] for cell in cells(page) if cell["cell_type"] == "markdown")


def required(package: str) -> str:
    """A requirement as settings.ini writes it."""
    return re.search(rf"^\s*(?:\w+ = )?({package}[>=].*)$", (ROOT / "settings.ini").read_text("utf-8"), flags=re.M)[1]


# Names


def names_in(text: str) -> set[tuple[str, str]]:
    """Subpackage and name of all that stands in backticks as `data.load_tablets(...)`."""
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    return {found for span in spans for found in re.findall(rf"(?<![\w.])({PARTS})\.(\w+)", span)}


def test_names_are_found_in_backticks_only():
    found = names_in("`data.read_spectra(path)`, data.nothing, `x.data.y` and `make_pipeline(preprocessing.SNV())`")
    assert found == {("data", "read_spectra"), ("preprocessing", "SNV")}


@pytest.mark.parametrize("page", PAGES)
def test_every_name_exists(page):
    found = names_in(prose(COURSE / f"{page}.ipynb"))
    assert len(found) >= 60 or page != "cheat_sheet"
    missing = []
    for part, name in sorted(found):
        if name not in importlib.import_module(f"deep_chemometrics.{part}").__all__:
            missing.append(f"{part}.{name}")
    assert missing == []


def test_calls_of_the_cheat_sheet_fit_the_signatures():
    spans = re.findall(r"`([^`\n]+\))`", prose(COURSE / "cheat_sheet.ipynb").split("## Data")[1])
    trees = [ast.parse(span, mode="eval") for span in spans]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    bound = 0
    for call in calls:
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            module = importlib.import_module(f"deep_chemometrics.{call.func.value.id}")
            keywords = {keyword.arg: None for keyword in call.keywords}
            inspect.signature(getattr(module, call.func.attr)).bind(*call.args, **keywords)
            bound += 1
    assert bound > 60


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page):
    for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", prose(COURSE / f"{page}.ipynb")):
        assert (COURSE / link).exists(), link


# Handouts


def script(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_cheat_sheet_fits_on_one_page(tmp_path):
    sheet = script("cheat_sheet")
    tables = sheet.sections()
    assert sum(len(rows) for rows in tables.values()) > 50
    on_page = {
        found for rows in tables.values() for _, calls in rows for call in calls for found in names_in(f"`{call}`")
    }
    assert names_in(prose(COURSE / "cheat_sheet.ipynb")) - on_page <= {("data", "load_tablets")}
    sheet.main(tmp_path / "sheet.pdf")
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")


def test_slides_have_objectives_figures_and_summary(tmp_path):
    slides = script("slides")
    course = tmp_path / "course"
    course.mkdir()
    shutil.copy(COURSE / "05_diagnostics.ipynb", course)
    chapter = slides.read_chapter(course / "05_diagnostics.ipynb")
    assert chapter["title"] == "5  Diagnostics"
    assert len(chapter["objectives"]) == len(chapter["summary"]) == 4
    assert len(chapter["figures"]) == 2 and all(caption for _, caption in chapter["figures"])
    assert slides.main(course, tmp_path / "slides") == {"1_spectra_and_calibration": 4}


def test_every_chapter_is_in_a_part():
    numbers = [number for part in script("slides").PARTS.values() for number in part]
    assert numbers == list(range(1, 21))


# Environments


def test_binder_installs_the_package():
    assert (ROOT / ".binder" / "runtime.txt").read_text("utf-8").strip() == f"python-{settings()['min_python']}"
    assert (ROOT / ".binder" / "requirements.txt").read_text("utf-8").split() == [required("jupyterlab")]
    script = ROOT / ".binder" / "postBuild"
    assert os.access(script, os.X_OK)
    extras = re.search(r"pip install .*'\.\[(.+)\]'", script.read_text("utf-8"))[1].split(",")
    assert all(f"{extra}_requirements" in settings() for extra in extras)


def test_conda_installs_the_package():
    text = (ROOT / "environment.yml").read_text("utf-8")
    assert f"name: {settings()['name']}\n" in text
    assert re.search(r"- python>=(\S+)", text)[1] == settings()["min_python"]
    assert f"- {required('jupyterlab')}\n" in text
    extras = re.search(r"- --editable \.\[(.+)\]", text)[1].split(",")
    assert all(f"{extra}_requirements" in settings() for extra in extras)


def test_container_installs_the_package():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8"))
    assert container["image"].rpartition(":")[2] == settings()["min_python"]
    command = container["postCreateCommand"].removeprefix("make ")
    assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text("utf-8"), flags=re.M)
