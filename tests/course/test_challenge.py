"""The sealed challenge: nothing of the answers in the students' folder, and the scores are right."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def challenge():
    spec = importlib.util.spec_from_file_location("challenge", ROOT / "scripts" / "challenge.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["challenge"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def folder(challenge, tmp_path_factory):
    folder = tmp_path_factory.mktemp("challenge")
    challenge.write(20261129, folder)
    return folder


def test_students_get_no_answers(folder):
    students = folder / "students"
    assert sorted(path.name for path in students.iterdir()) == ["submission.csv", "test.csv", "training.csv"]
    test = pd.read_csv(students / "test.csv")
    training = pd.read_csv(students / "training.csv")
    assert "content" not in test and "content" in training
    assert list(test.columns[2:]) == list(training.columns[3:])
    assert sorted(test["instrument"].unique()) == [1, 2]


def test_same_seed_same_challenge_another_seed_another(challenge, folder, tmp_path):
    challenge.write(20261129, tmp_path / "again")
    challenge.write(1, tmp_path / "other")
    name = "teacher/answers.csv"
    assert (tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes()
    assert (tmp_path / "other" / name).read_bytes() != (folder / name).read_bytes()


def test_scores(challenge, folder, tmp_path):
    answers = pd.read_csv(folder / "teacher" / "answers.csv")
    perfect = answers[["sample"]].assign(predicted=answers["content"])
    perfect.sample(frac=1, random_state=0).to_csv(tmp_path / "perfect.csv", index=False)
    found = challenge.score([tmp_path / "perfect.csv", folder / "students" / "submission.csv"], folder)
    assert found.loc["perfect"].abs().max() < 1e-12
    mean = "(mean of the training samples)"
    assert np.allclose(found.loc["submission"], found.loc[mean], atol=1e-5)
    assert found.loc["(EMSC, PLS)", "instrument 1"] < 0.5 * found.loc[mean, "instrument 1"], "it can be solved"
    assert found.loc["(EMSC, PLS)", "instrument 2"] > 1.2 * found.loc["(EMSC, PLS)", "instrument 1"], "not trivial"


@pytest.mark.parametrize(
    "text, says",
    [
        ("sample,value\n0,1\n", "columns sample and predicted"),
        ("sample,predicted\n0,1\n", "one row for each"),
        (None, "must be numbers"),
    ],
)
def test_bad_submissions_are_told(challenge, folder, tmp_path, text, says):
    path = tmp_path / "bad.csv"
    if text is None:
        good = pd.read_csv(folder / "students" / "submission.csv").astype({"predicted": object})
        good.loc[3, "predicted"] = "high"
        good.to_csv(path, index=False)
    else:
        path.write_text(text)
    with pytest.raises(ValueError, match=says):
        challenge.score([path], folder)
