"""Runs one notebook of exercises in this process: as solved, as given to students, and with wrong answers.

`python exercise_runner.py NOTEBOOK STUDENT WRONG.py` prints a JSON report; STUDENT is the notebook as students get it.
A cell of tests passes when it raises nothing.
"""

import importlib.util
import json
import sys
import warnings
from pathlib import Path

from IPython.core.inputtransformer2 import TransformerManager


def read(path: Path) -> list[dict]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        cell["source"] = "".join(cell["source"])
        cell["nbgrader"] = cell["metadata"].get("nbgrader", {})
    return [cell for cell in cells if cell["cell_type"] == "code"]


def run(cells: list[dict], answers: dict[str, str]) -> dict[str, str]:
    """Run all cells with some solutions replaced; errors by the id of the cell of tests."""
    names = {"__name__": "__main__"}
    failed = {}
    for cell in cells:
        about = cell["nbgrader"]
        key = about.get("grade_id", "")
        source = answers.get(key, cell["source"])
        code = TransformerManager().transform_cell(source)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(compile(code, f"<{key or 'cell'}>", "exec"), names)
        except Exception as error:
            is_tests = about.get("grade") and not about.get("solution")
            if is_tests:
                failed[key] = f"{type(error).__name__}: {error}"[:200]
            elif not about.get("solution") and not answers:
                raise  # the given code must run
    return failed


def wrong_answers(path: Path) -> dict[str, list[str]]:
    if not path.exists():
        return {}
    spec = importlib.util.spec_from_file_location("wrong", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.WRONG


def main(notebook: Path, student: Path, wrong: Path) -> dict:
    import matplotlib

    matplotlib.use("agg")
    cells = read(notebook)
    about = [cell["nbgrader"] for cell in cells]
    report = {"tests": [one["grade_id"] for one in about if one.get("grade") and not one.get("solution")]}
    report["solved"] = run(cells, {})
    blank = {cell["nbgrader"]["grade_id"]: cell["source"] for cell in read(student) if cell["nbgrader"].get("solution")}
    report["unsolved"] = run(cells, blank)
    report["wrong"] = {}
    for key, sources in wrong_answers(wrong).items():
        for number, source in enumerate(sources):
            report["wrong"][f"{key}:{number}"] = run(cells, {key: source})
    return report


if __name__ == "__main__":
    print("REPORT" + json.dumps(main(*map(Path, sys.argv[1:]))))
