"""What holds the project together: exports, notebooks, metadata, README and the wheel agree with each other."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted(p for p in (ROOT / "nbs").rglob("*.ipynb") if not any(part[0] in "._" for part in p.parts[-2:]))
SKIPPED = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "run", "_proc", "_docs")


def settings() -> dict[str, str]:
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return dict(config["DEFAULT"])


def run(*command: str, cwd: Path, **env: str) -> str:
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, "PYTHONUTF8": "1", **env}, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def nbdev(command: str, cwd: Path) -> None:
    """An nbdev command in `cwd`, away from the settings and the trusted notebooks of whoever runs the tests."""
    env = {name: str(cwd.parent / "user") for name in ("XDG_CONFIG_HOME", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    run(shutil.which(command, path=sysconfig.get_path("scripts")), cwd=cwd, **env)


def texts(folder: Path, pattern: str) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): p.read_text("utf-8") for p in sorted(folder.rglob(pattern))}


def cells(path: Path) -> list[dict]:
    found = json.loads(path.read_text("utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project without what commands have made in it, in a folder with a space in its name."""
    copy = tmp_path / "a copy"
    copy.mkdir()
    for name in ("nbs", "deep_chemometrics", "data"):
        shutil.copytree(ROOT / name, copy / name, ignore=SKIPPED)
    for name in ("settings.ini", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, copy)
    shutil.copy(ROOT / "CITATION.cff", copy)
    return copy


# Notebooks and modules


def test_website_is_made_of_all_notebooks(copy):
    """No link is broken (the script is strict), and every function of a page can be documented."""
    shutil.copytree(ROOT / "scripts", copy / "scripts", ignore=SKIPPED)
    run(sys.executable, "scripts/make_docs.py", cwd=copy)
    pages = {path.relative_to(copy / "_docs").with_suffix("") for path in (copy / "_docs").rglob("*.html")}
    notebooks = [path.relative_to(ROOT / "nbs").with_suffix("") for path in (ROOT / "nbs").rglob("*.ipynb")]
    assert {path for path in notebooks if not any(part[0] in "._" for part in path.parts)} <= pages
    places = {
        re.sub("#.*", "", link)
        for page in (copy / "_docs").rglob("*.html")
        for link in re.findall(
            rf'href="{settings()["repository"]}/blob/main/([^"]+)"', page.read_text(encoding="utf-8")
        )
    }
    assert "data/README.md" in places and not [place for place in places if not (ROOT / place).exists()]


def test_exported_cells_are_short():
    long = {}
    for path in (ROOT / "nbs").rglob("[!.]*.ipynb"):
        for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
            source = "".join(cell["source"])
            if source.startswith("#| export") and len(source.splitlines()) > 70:
                long[path.name, number] = len(source.splitlines())
    assert not long


def test_modules_are_what_the_notebooks_export(copy):
    package = copy / "deep_chemometrics"
    committed = texts(package, "*.py")
    for module in package.rglob("*.py"):
        if module.name != "__init__.py":
            module.unlink()
    nbdev("nbdev-export", copy)
    assert texts(package, "*.py") == committed


def test_notebooks_are_clean(copy):
    before = texts(copy / "nbs", "*.ipynb")
    nbdev("nbdev-clean", copy)
    after = texts(copy / "nbs", "*.ipynb")
    assert [name for name in before if after[name] != before[name]] == []


def test_sidebar_lists_every_notebook():
    listed = re.findall(r"^ *- (\S+\.ipynb)$", (ROOT / "nbs" / "_quarto.yml").read_text("utf-8"), flags=re.M)
    assert sorted(listed) == [p.relative_to(ROOT / "nbs").as_posix() for p in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_begins_with_title_and_subtitle(self, path):
        first = next(cell["source"] for cell in cells(path) if cell["cell_type"] == "markdown")
        assert re.fullmatch(r"# \S.*\n\n?> \S.*", first), "nothing else in this cell: nbdev shows only these two lines"

    def test_library_notebook_ends_with_export(self, path):
        if any(cell["source"].startswith("#| default_exp") for cell in cells(path)):
            last = cells(path)[-1]["source"]
            assert last.startswith("#| hide") and "nbdev_export()" in last

    def test_imports_stand_in_cells_of_their_own(self, path):
        """nbdev runs every cell that imports to build the documentation, and only these and the exported ones."""
        mixed = []
        for number, cell in enumerate(cells(path)):
            if cell["cell_type"] == "code" and not re.match(r"#\| *export", cell["source"]):
                body = ast.parse(re.sub(r"^[%!].*", "", cell["source"], flags=re.M)).body
                imports = [
                    node for part in body for node in ast.walk(part) if isinstance(node, ast.Import | ast.ImportFrom)
                ]
                if imports and imports != body and "nbdev_export()" not in cell["source"]:
                    mixed.append(number)
        assert mixed == [], "cells, counted from 0, that import and do something else"

    def test_is_executed_without_error(self, path):
        outputs = [output for cell in cells(path) for output in cell.get("outputs", [])]
        assert outputs, "committed without outputs"
        assert [output["ename"] for output in outputs if output["output_type"] == "error"] == []

    def test_is_never_skipped_as_a_whole(self, path):
        assert not any("skip_exec" in cell["source"] for cell in cells(path))

    def test_is_small(self, path):
        assert path.stat().st_size < 2_000_000

    def test_names_no_path_of_a_machine(self, path):
        shown = [cell["source"] for cell in cells(path)]
        for output in (output for cell in cells(path) for output in cell.get("outputs", [])):
            shown.append("".join(output.get("text", "")))
            shown += ["".join(data) for kind, data in output.get("data", {}).items() if kind.startswith("text/")]
        private = re.compile(r"(?<![\w.:/])/(root|home|tmp|work|Users|private|var)/\S*|[A-Z]:\\Users\S*")
        # a picture inside HTML is base64, in which anything may look like a path
        found = [private.search(re.sub(r"base64,[\w+/=]+", "", text)) for text in shown]
        assert [match[0] for match in found if match] == []


# Metadata


def test_version_is_the_same_everywhere():
    version = settings()["version"]
    init = ast.parse((ROOT / "deep_chemometrics" / "__init__.py").read_text("utf-8"))
    assigned = {node.targets[0].id: node.value.value for node in init.body if isinstance(node, ast.Assign)}
    assert assigned["__version__"] == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert re.findall(r"^## \[(\d[^]]*)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.M)[0] == version


def test_repository_address_is_the_same_everywhere():
    address = settings()["repository"]
    found = {}
    for folder, pattern in [(".", "*"), ("nbs", "*"), ("scripts", "*"), ("data", "*.md"), (".github", "**/*")]:
        for path in (ROOT / folder).glob(pattern):
            if path.is_file() and path.suffix not in {".png", ".gz", ".npz"}:
                for match in re.findall(r"https?://github\.com/[\w.-]+/deep[-_]chemometrics", path.read_text("utf-8")):
                    found.setdefault(match, []).append(path.name)
    assert list(found) == [address]
    assert {"settings.ini", "CITATION.cff", "CHANGELOG.md"} <= set(found[address])


def test_readme_is_what_the_index_gives():
    run(sys.executable, "scripts/make_readme.py", "--check", cwd=ROOT)


# The package


def test_import_is_light():
    """A user of PLS waits for no network library: these modules know no Keras."""
    networks = {"layers", "random_layers", "cnn", "architectures", "our_network", "frame", "training", "saving"}
    networks |= {"estimators", "activations", "windows", "gradients", "attribution", "faithfulness", "sanity"}
    networks |= {"explanation_study", "inspector", "tablets_study", "groups_study", "physics_study"}
    networks |= {"group_prediction"}
    modules = {path.stem for path in (ROOT / "deep_chemometrics").glob("[!_]*.py")} - networks
    assert {"datasets", "readers", "pls", "compare", "augmentation"} <= modules
    code = "import sys, deep_chemometrics\n"
    code += "".join(f"import deep_chemometrics.{name}\n" for name in modules)
    code += "print(sorted({name.split('.')[0] for name in sys.modules} & {'keras', 'jax', 'tensorflow', 'torch'}))"
    assert run(sys.executable, "-c", code, cwd=ROOT).strip() == "[]"


def test_wheel_works_by_itself(copy, tmp_path):
    """Built from the source distribution, installed alone, imported from elsewhere: the data come along."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(tmp_path / "dist"), cwd=copy)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    assert wheel.name == f"deep_chemometrics-{settings()['version']}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
        metadata = archive.read(next(name for name in inside if name.endswith("METADATA"))).decode()
    data = ROOT / "data"
    embedded = [p for p in data.iterdir() if p.suffix in {".gz", ".npz"} or p.name == "README.md"]
    embedded += [p for p in (data / "group_model").iterdir() if p.is_file()]
    assert {f"deep_chemometrics/data/{p.relative_to(data).as_posix()}" for p in embedded} <= inside
    assert "License-Expression: MIT" in metadata and "Provides-Extra: dev" in metadata

    target = tmp_path / "empty"
    install = ["-m", "pip", "install", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    run(sys.executable, *install, cwd=tmp_path)
    code = (
        "import deep_chemometrics; from deep_chemometrics.data import load_tablets; "
        "print(deep_chemometrics.__file__); print(load_tablets().X.shape)"
    )
    imported, shape = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(target)).splitlines()
    assert Path(imported).is_relative_to(target)
    assert shape == "(1284, 597)"
