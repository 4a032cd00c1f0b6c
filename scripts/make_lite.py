"""Chapters 1 to 6 and their exercises as pages that run in the browser, in _docs/lite/: `make lite`.

JupyterLite runs Python in the reader's browser, by Pyodide. The site serves the notebooks, this library and the
packages it needs as wheels. Pyodide itself, about 45 MB, comes from its public address, or with
`make lite PYODIDE=folder` from a copy that is then served by the site, too: nothing else is requested.
"""

import argparse
import base64
import csv
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
COURSE = NBS / "course"
TARGET = ROOT / "_docs" / "lite"
KERNEL = "@jupyterlite/pyodide-kernel-extension"
# Chapters that need no Keras, for which there is no Pyodide; the glossary, because they link to it.
CHAPTERS = [
    "01_spectra",
    "02_preprocessing",
    "03_pls",
    "04_validation",
    "05_diagnostics",
    "06_comparing_models",
]
PAGES = [*CHAPTERS, *(f"exercises/{name}" for name in CHAPTERS), "glossary"]

VERSION = "0.27.7"
ADDRESS = f"https://cdn.jsdelivr.net/pyodide/v{VERSION}/full/pyodide.js"
# Pyodide's own files and their SHA-256. Those of its packages stand in its pyodide-lock.json.
CORE = {
    "pyodide.js": "b4cb23a53aba19c221659b9fb40a2f18281d685691dc06647fb0afd0681baf98",
    "pyodide.asm.js": "6b4c90de5b7172873f04f21884d0e9d2274e305fe32116558fe3e4fbe3618d51",
    "pyodide.asm.wasm": "a50dd1843f805a0b7c45b61037ee0d7b26dfe85efe0e18ef95a34ad24e401f5f",
    "python_stdlib.zip": "16611534726e5d8ac2bd8f926410b2dcb8d6f49aa24913463533b457a2115c16",
}
LOCK = "pyodide-lock.json"
# Loaded with the kernel, so that a page can import the library at once: from Pyodide ...
PYODIDE_PACKAGES = [
    "micropip",
    "ssl",
    "sqlite3",
    "ipython",
    "jedi",
    "matplotlib",
    "pandas",
    "scikit-learn",
    "scipy",
]
# ... and what Pyodide lacks, as it is installed here: what the library imports, and its readers of files.
WHEELS = [
    "comm",
    "lazy_loader",
    "fastcore",
    "tqdm",
    "seaborn",
    "ikpls",
    "cvmatrix",
    "pybaselines",
    "brukeropus",
    "spcfile",
    "openpyxl",
    "et_xmlfile",
]
# Served with a hosted Pyodide where the folder has them: MATLAB 7.3 files, and parts of Python's standard library.
OPTIONAL = ["h5py", "lzma"]


def lite_link(page: str) -> str | None:
    """Address of the page that runs in the browser, relative to a page of the website; None where there is none.

    `page` is its name in `nbs/` without suffix: "course/02_preprocessing". From "index" the first chapter opens.
    """
    name = "01_spectra" if page == "index" else page.removeprefix("course/")
    if page != "index" and (page == name or name not in PAGES or name == "glossary"):
        return None
    return f"{'../' * page.count('/')}lite/lab/index.html?path={name}.ipynb"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# -- Wheels ----------------------------------------------------------------------------------------------------------


def repack(name: str, folder: Path) -> Path:
    """A wheel of an installed package: the browser gets the version that is tested here, and nothing is fetched."""
    distribution = metadata.distribution(name)
    tags = distribution.read_text("WHEEL") or ""
    if "Root-Is-Purelib: true" not in tags or "py3-none-any" not in tags:
        raise ValueError(
            f"{name} is not pure Python: it cannot run in the browser. Look for it among Pyodide's packages."
        )
    path = folder / f"{re.sub(r'[-_.]+', '_', name)}-{distribution.version}-py3-none-any.whl"
    rows = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file in sorted(distribution.files or [], key=str):
            # not the scripts beside Python, nor what pip wrote when it installed the package
            inside = file.as_posix()
            left_out = inside.startswith("..") or "__pycache__" in file.parts
            if left_out or file.name in {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}:
                continue
            content = Path(file.locate()).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            rows.append([inside, f"sha256={digest}", len(content)])
            # dates are left at 1980: the same packages give the same file
            wheel.writestr(zipfile.ZipInfo(inside), content, zipfile.ZIP_DEFLATED)
        info = next(row[0].split("/")[0] for row in rows if ".dist-info/" in row[0])
        record = io.StringIO()
        csv.writer(record, lineterminator="\n").writerows([*rows, [f"{info}/RECORD", "", ""]])
        wheel.writestr(zipfile.ZipInfo(f"{info}/RECORD"), record.getvalue(), zipfile.ZIP_DEFLATED)
    return path


def library_wheel(folder: Path) -> Path:
    """This library's wheel, made in a copy: a build leaves folders behind, and would use what lies in them."""
    with TemporaryDirectory() as name:
        copy = Path(name)
        for file in ["settings.ini", "pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"]:
            shutil.copy(ROOT / file, copy)
        for part in ["deep_chemometrics", "data"]:
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)]
        done = subprocess.run(command, capture_output=True, encoding="utf-8")
        if done.returncode:
            raise RuntimeError(f"The wheel of the library could not be built:\n{done.stdout}{done.stderr}")
    return next(folder.glob("deep_chemometrics-*.whl"))


# -- Pyodide ---------------------------------------------------------------------------------------------------------


def with_dependencies(names: list[str], packages: dict) -> list[str]:
    """The packages `names` of Pyodide's lock file, and all that these need."""
    found = []
    waiting = list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        if name not in packages:
            raise ValueError(f"{LOCK} does not list {name}, which the pages need: take a complete Pyodide {VERSION}.")
        found.append(name)
        waiting += packages[name]["depends"]
    return found


def check_pyodide(folder: Path) -> dict:
    """The lock file of the Pyodide in `folder`, without packages that are not needed.

    `ValueError` for another version, and for a file that is missing or has another content than its hash tells.
    """
    folder = Path(folder)
    if not (folder / LOCK).is_file():
        raise ValueError(f"{folder} is no folder of Pyodide: there is no {LOCK} in it.")
    lock = json.loads((folder / LOCK).read_text(encoding="utf-8"))
    version = lock["info"]["version"]
    if version != VERSION:
        raise ValueError(f"{folder / LOCK} is of Pyodide {version}; the pages are made for {VERSION}.")
    packages = lock["packages"]
    there = [name for name in OPTIONAL if name in packages and (folder / packages[name]["file_name"]).is_file()]
    needed = with_dependencies([*PYODIDE_PACKAGES, *there], packages)
    hashes = CORE | {packages[name]["file_name"]: packages[name]["sha256"] for name in needed}
    for name, expected in hashes.items():
        path = folder / name
        if not path.is_file():
            raise ValueError(f"{path} is missing, which the pages need: take a complete Pyodide {VERSION}.")
        if sha256(path) != expected:
            raise ValueError(f"{path} is damaged or was changed: its SHA-256 is not the expected {expected}.")
    return lock | {"packages": {name: packages[name] for name in sorted(needed)}}


def host_pyodide(folder: Path, target: Path) -> None:
    """Copy a Pyodide with the packages that the pages need, after a check of every file."""
    lock = check_pyodide(folder)
    target.mkdir(parents=True)
    for name in [*CORE, *(package["file_name"] for package in lock["packages"].values())]:
        shutil.copyfile(Path(folder) / name, target / name)
    (target / LOCK).write_text(json.dumps(lock), encoding="utf-8")


# -- Pages -----------------------------------------------------------------------------------------------------------


def settings() -> dict[str, str]:
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return dict(config["DEFAULT"])


def browser_copy(notebook: dict, page: str) -> dict:
    """A notebook for the browser: without outputs; links to pages that it has not lead to the website."""
    addresses = settings()

    def retarget(match: re.Match) -> str:
        path, hash_, anchor = match[1].partition("#")
        inside = Path(os.path.normpath(Path(page).parent / path)).as_posix()
        if inside.removesuffix(".ipynb") in PAGES:
            return match[0]
        target = Path(os.path.normpath(COURSE / Path(page).parent / path))
        if target.suffix == ".ipynb" and target.is_relative_to(NBS):
            address = addresses["website"] + target.relative_to(NBS).with_suffix(".html").as_posix()
        else:
            address = f"{addresses['repository']}/blob/main/{target.relative_to(ROOT).as_posix()}"
        return f"]({address}{hash_}{anchor})"

    cells = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            if '"google.colab" in sys.modules' in source:
                continue
            cell = cell | {"outputs": [], "execution_count": None}
        if cell["cell_type"] == "markdown":
            source = re.sub(r"\]\((?!\w+:|#)([^)\s]+)\)", retarget, source)
        cells.append(cell | {"source": source})
    kernel = {"display_name": "Python (Pyodide)", "language": "python", "name": "python"}
    return notebook | {"cells": cells, "metadata": notebook["metadata"] | {"kernelspec": kernel}}


def write_pages(folder: Path) -> None:
    """Chapters as they are, exercises without their solutions."""
    from exercises import release

    with TemporaryDirectory() as name:
        release([COURSE / f"{page}.ipynb" for page in PAGES if "/" in page], Path(name) / "exercises")
        for page in PAGES:
            source = (Path(name) if "/" in page else COURSE) / f"{page}.ipynb"
            text = source.read_text(encoding="utf-8")
            if "/" in page:  # in the student version, links to chapters lead to the repository
                text = text.replace(f"]({settings()['repository']}/blob/main/nbs/course/", "](../")
            target = folder / f"{page}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(json.dumps(browser_copy(json.loads(text), page), indent=1), encoding="utf-8")


# -- The site --------------------------------------------------------------------------------------------------------


def write_settings(folder: Path, wheels: list[Path], hosted: bool) -> None:
    """What JupyterLite is built from: its applications, its kernel, and what the kernel loads."""
    extension = Path(sys.prefix) / "share" / "jupyter" / "labextensions" / KERNEL
    build = {
        "apps": ["lab"],
        "no_sourcemaps": True,
        "no_unused_shared_packages": True,
        # not the extensions that happen to be installed here, but the kernel only
        "ignore_sys_prefix": ["federated_extensions"],
        "federated_extensions": [str(extension)],
        "output_dir": "site",
    }
    (folder / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": build}), encoding="utf-8")
    kernel = {
        "pyodideUrl": "./static/pyodide/pyodide.js" if hosted else ADDRESS,
        "disablePyPIFallback": True,
        # addresses are relative to the kernel's program, which lies in extensions/@jupyterlite/.../static
        "loadPyodideOptions": {
            "packages": [*PYODIDE_PACKAGES, *(f"../../../../pypi/{path.name}" for path in wheels)],
            # tqdm warns that it cannot start a thread, which it needs for slow loops only
            "env": {"PYTHONWARNINGS": "ignore:tqdm:RuntimeWarning"},
        },
    }
    config = {
        "appName": "Deep Chemometrics",
        "litePluginSettings": {f"{KERNEL}:kernel": kernel},
    }
    document = {"jupyter-lite-schema-version": 0, "jupyter-config-data": config}
    (folder / "jupyter-lite.json").write_text(json.dumps(document), encoding="utf-8")
    # whole pages: else the browser's search finds nothing in cells that are not in view
    overrides = {
        "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
        # the list of files shows the notebook's folder, so that an upload lands beside it
        "@jupyterlab/filebrowser-extension:browser": {"navigateToCurrentDirectory": True},
    }
    (folder / "overrides.json").write_text(json.dumps(overrides), encoding="utf-8")


def build(target: Path = TARGET, pyodide: Path | None = None) -> Path:
    """Write the pages that run in the browser to `target`, with the Pyodide in the folder `pyodide` or without one."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        if pyodide is not None:
            host_pyodide(pyodide, folder / "pyodide")
        wheels = folder / "pypi"
        wheels.mkdir()
        made = [*(repack(package, wheels) for package in WHEELS), library_wheel(wheels)]
        write_pages(folder / "files")
        write_settings(folder, made, hosted=pyodide is not None)
        command = [sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", name]
        done = subprocess.run(command, cwd=name, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RuntimeError(f"JupyterLite could not be built:\n{done.stdout}{done.stderr}")
        site = folder / "site"
        if pyodide is not None:
            shutil.move(folder / "pyodide", site / "static" / "pyodide")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(site, target)
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pyodide", type=Path, metavar="FOLDER", help=f"serve the Pyodide {VERSION} in this folder")
    parser.add_argument("--output", type=Path, default=TARGET, metavar="FOLDER", help="default: _docs/lite")
    given = parser.parse_args()
    try:
        target = build(given.output, given.pyodide)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file()) / 1e6
    print(f"Pages that run in the browser: {target}, {size:.0f} MB.")
    print(f"To look at them: {Path(sys.executable).name} -m http.server --directory {target.parent}, then open")
    print(f"http://localhost:8000/{target.name}/lab/index.html?path=01_spectra.ipynb")
    return 0


if __name__ == "__main__":
    sys.exit(main())
