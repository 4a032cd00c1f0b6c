"""Exercises: every solution passes its tests, and nothing else does.

The tests of an exercise (cell `NAME-test`) must pass with the solution (cell `NAME`), fail before it is filled in, and
fail with each plausible wrong answer of `wrong_answers/<notebook>.py`.
"""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "nbs" / "course" / "exercises"
NOTEBOOKS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
HERE = Path(__file__).parent


def cells(path: Path) -> list[dict]:
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


def graded(path: Path, solution: bool) -> list[dict]:
    found = [cell["metadata"].get("nbgrader", {}) for cell in cells(path)]
    return [one for one in found if one.get("solution") is solution and (solution or one.get("grade"))]


@pytest.fixture(scope="module")
def students(tmp_path_factory) -> Path:
    """A folder with the student version of every notebook, as `make exercises` makes them."""
    spec = importlib.util.spec_from_file_location("exercises", ROOT / "scripts" / "exercises.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    folder = tmp_path_factory.mktemp("release")
    with pytest.MonkeyPatch.context() as patch:
        # as `make exercises` runs it: by the path of the Python, with nothing of the environment on the search path
        patch.setenv("PATH", os.defpath)
        script.release(NOTEBOOKS, folder)
    return folder


@pytest.mark.slow
def test_student_versions_hold_no_solution(students):
    for path in NOTEBOOKS:
        solved = [cell for cell in cells(path) if cell["metadata"].get("nbgrader", {}).get("solution")]
        text = (students / path.name).read_text(encoding="utf-8")
        assert "BEGIN SOLUTION" not in text and "](../" not in text
        given = [cell for cell in cells(students / path.name) if cell["metadata"].get("nbgrader", {}).get("solution")]
        assert len(given) == len(solved)
        for cell in given:
            stub = "NotImplementedError" if cell["cell_type"] == "code" else "*Write your answer here.*"
            assert stub in cell["source"]


def test_every_chapter_has_exercises():
    chapters = [path.name for path in (ROOT / "nbs" / "course").glob("[0-9][0-9]_*.ipynb")]
    assert sorted(name for name in chapters if name[:2] != "00") == [path.name for path in NOTEBOOKS]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestExercises:
    def test_form(self, path):
        text = "\n".join(cell["source"] for cell in cells(path) if cell["cell_type"] == "markdown")
        headings = re.findall(r"^## Exercise (\d+)", text, flags=re.M)
        assert [int(number) for number in headings] == list(range(1, len(headings) + 1))
        assert len(headings) >= 3
        for part in re.split(r"^## Exercise \d+", text, flags=re.M)[1:]:
            hints = re.findall(r"<details><summary>Hint (\d)</summary>", part)
            assert hints == ["1", "2", "3"], part[:60]
        ids = [cell["metadata"]["nbgrader"]["grade_id"] for cell in cells(path) if "nbgrader" in cell["metadata"]]
        assert len(ids) == len(set(ids))
        for one in graded(path, solution=False):
            assert one["locked"] and one["points"] > 0 and one["schema_version"] == 3
        assert all(
            "### BEGIN SOLUTION" in cell["source"]
            for cell in cells(path)
            if cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("solution")
        )

    @pytest.mark.slow
    def test_solutions_pass_and_nothing_else_does(self, path, students):
        command = [sys.executable, str(HERE / "exercise_runner.py"), str(path), str(students / path.name)]
        command.append(str(HERE / "wrong_answers" / f"{path.stem}.py"))
        env = {**os.environ, "PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "PYTHONUTF8": "1"}
        done = subprocess.run(command, cwd=FOLDER, env=env, capture_output=True, encoding="utf-8", timeout=600)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        report = json.loads(done.stdout.split("REPORT")[-1])
        assert report["tests"], "no tests at all"
        assert report["solved"] == {}
        assert sorted(report["unsolved"]) == sorted(report["tests"])
        assert report["wrong"], "no plausible wrong answer is tried"
        for name, failed in report["wrong"].items():
            assert f"{name.split(':')[0]}-test" in failed, f"the tests accept the wrong answer {name}"
