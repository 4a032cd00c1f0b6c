"""Student versions of the exercises in release/: `make exercises`, or `python scripts/exercises.py 01 04`.

nbgrader removes the solutions and locks the cells of tests. Links to the chapters become links to the repository.
"""

import os
import re
import shutil
import sys
import sysconfig
from configparser import ConfigParser
from pathlib import Path
from tempfile import TemporaryDirectory

from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "nbs" / "course" / "exercises"


def repository() -> str:
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return config["DEFAULT"]["repository"]


def settings(folder: Path) -> Config:
    config = Config()
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.db_url = f"sqlite:///{folder / 'gradebook.db'}"
    config.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}
    config.ClearSolutions.text_stub = "*Write your answer here.*"
    config.ClearSolutions.enforce_metadata = True
    config.Application.log_level = "WARN"
    return config


def release(notebooks: list[Path], target: Path) -> list[Path]:
    """Write the student version of each notebook into `target`; returns their paths."""
    target.mkdir(parents=True, exist_ok=True)
    # nbgrader calls `alembic` by name: it lies beside the Python of the environment, which need not be on the path
    os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    written = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        api = NbGraderAPI(config=settings(folder))
        for notebook in notebooks:
            assignment = folder / "source" / notebook.stem
            assignment.mkdir(parents=True)
            shutil.copy(notebook, assignment)
            result = api.generate_assignment(notebook.stem, force=True, create=True)
            if not result["success"]:
                raise RuntimeError(f"{notebook.name}: {result.get('error') or result.get('log')}")
            text = (folder / "release" / notebook.stem / notebook.name).read_text(encoding="utf-8")
            text = re.sub(r"\]\(\.\./(\w+\.ipynb)\)", rf"]({repository()}/blob/main/nbs/course/\1)", text)
            path = target / notebook.name
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def main() -> None:
    only = tuple(sys.argv[1:])
    notebooks = [path for path in sorted(SOURCE.glob("[0-9][0-9]_*.ipynb")) if path.name.startswith(only or "")]
    for path in release(notebooks, ROOT / "release"):
        print(path.relative_to(ROOT).as_posix())


if __name__ == "__main__":
    main()
