"""The stored results: complete, renamed without a change of any number, and found from any working directory."""

import hashlib
import importlib
import json

import numpy as np
import pytest

from studies import rename_results
from studies.run import _read_table, results_folder

# Number of fits, and fingerprint of their numbers, of the files as they were before settings and columns were renamed
# (commit 3ab4fd8, nbs/studies/results): for each fit the sorted values of these columns, then the sorted hashes.
STORED = {
    "tablets/predictions.parquet": (1644, "d818be1d77b2590e", ["y", "predicted"]),
    "tablets/inside.parquet": (20, "6a1bcb0154c95ab2", ["value"]),
    "functional_groups/predictions.parquet": (
        41,
        "dee9c900fcff283d",
        ["decisions", *(f"p{i}" for i in range(17))],
    ),
    "group_explanations/scores.parquet": (
        48,
        "65c46900074d78de",
        ["band_auc", "attribution_mass", "rank", "auc", "correlation"],
    ),
    "group_explanations/patterns.parquet": (6, "397f0bbbaf25ca7b", ["attribution", "share", "removed", "added"]),
    "group_explanations/seed_agreement.parquet": (
        6,
        "b0a7eaa1c01a0cd5",
        ["agreement", "agreement by spectrum", "auc"],
    ),
    "explanation_methods/scores.parquet": (
        90,
        "cd88bb73e06600fe",
        ["completeness error", "deletion", "truth", "attribution_mass"],
    ),
    "explanation_methods/single_changes.parquet": (
        120,
        "482b21b8a15d5d51",
        ["completeness error", "deletion", "truth", "attribution_mass"],
    ),
    "overfitting/predictions.parquet": (131, "e491ab86cbeec531", ["predicted"]),
    "overfitting/curves.csv.gz": (3, "e5bc8a59545a282a", ["rmse"]),
    "tuning/test_predictions.csv.gz": (6, "30bc200b095caa77", ["predicted"]),
    "savgol_network/contest.parquet": (276, "f44bca37880873f9", ["y", "predicted"]),
    "savgol_network/parts.parquet": (18, "b063f4f1fcbdd564", ["rmse"]),
}
# What each study fits, by the names of its functions
FITS = {
    "tablets": ["tablet_predictions", "inside_network"],
    "functional_groups": ["predictions"],
    "group_explanations": ["score", "patterns", "seed_agreement", "trained"],
    "explanation_methods": ["score_explanations"],
    "overfitting": ["predictions", "training_curve"],
    "tuning": ["test_predictions"],
    "savgol_network": ["contest_fit", "part_error"],
}


def table_of(name):
    path = results_folder("") / name
    record = json.loads(rename_results.beside(path).read_text(encoding="utf-8"))
    return _read_table(path, record["names"]), record


@pytest.mark.parametrize("name", STORED)
def test_renaming_changed_no_number(name):
    n_fits, fingerprint, columns = STORED[name]
    table, record = table_of(name)
    fits = []
    for _, fit in table.groupby(record["names"], sort=False):
        values = [np.sort(fit[column].to_numpy(np.float64)).tobytes() for column in columns]
        fits.append(hashlib.sha256(b"".join(values)).hexdigest())
    assert len(fits) == n_fits == len(record["tasks"])
    assert hashlib.sha256("".join(sorted(fits)).encode()).hexdigest()[:16] == fingerprint


@pytest.mark.parametrize(
    "study",
    [pytest.param(name, marks=pytest.mark.slow) if name == "savgol_network" else name for name in FITS],
)
def test_no_fit_of_a_study_is_missing(study, monkeypatch, tmp_path):
    """`main` finds everything stored, also from another folder: a function that fits would fail."""
    module = importlib.import_module(f"studies.{study}")

    def fit(*args, **kwargs):
        raise AssertionError("a fit was missing")

    for name in FITS[study]:
        assert hasattr(module, name)
        monkeypatch.setattr(module, name, fit)
    monkeypatch.chdir(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in results_folder(study).iterdir()}
    module.main()
    assert {path: path.stat().st_mtime_ns for path in results_folder(study).iterdir()} == before
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("study", FITS)
def test_a_study_whose_results_are_missing_computes(study, monkeypatch, tmp_path):
    """The test above could see a missing fit."""
    module = importlib.import_module(f"studies.{study}")

    class Missing(Exception):
        pass

    def run(*args, **kwargs):
        raise Missing

    assert results_folder(study).parent.name == "results" and results_folder(study).is_absolute()
    monkeypatch.setattr(module, "run_study", run)
    with pytest.raises(Missing):
        module.main()


def test_renaming_twice_does_nothing(capsys):
    before = {path: path.stat().st_mtime_ns for path in results_folder("").rglob("*.*")}
    rename_results.main()
    assert {path: path.stat().st_mtime_ns for path in results_folder("").rglob("*.*")} == before
    assert not capsys.readouterr().out


@pytest.mark.parametrize("old", rename_results.FILES)
def test_no_old_name_is_left(old):
    study, name, columns, values = rename_results.FILES[old]
    table, record = table_of(f"{study}/{name}")
    assert not set(columns) & set(table)
    for column, new_names in values.items():
        assert not set(new_names) & set(table[column].unique())
        settings = {task["setting"].get(column) for task in record["tasks"]}
        assert not set(new_names) & settings


def test_renaming_takes_settings_and_tables_together(tmp_path):
    import pandas as pd

    from studies.run import run_study

    path = tmp_path / "old.csv.gz"
    settings = [{"augmentation": name, "seed": seed} for name in ("source", "none") for seed in (0, 1)]
    run_study(lambda **s: pd.DataFrame({"yhat": [0.1, 0.3]}), settings, path, progress=False)
    assert rename_results.rename_table(path, {"yhat": "predicted"}, {"augmentation": {"source": "Bjerrum 2017"}})
    today = [s | {"augmentation": s["augmentation"].replace("source", "Bjerrum 2017")} for s in settings]

    def fit(**setting):
        raise AssertionError("a fit was missing")

    table = run_study(fit, today, path, progress=False)
    assert list(table) == ["augmentation", "seed", "predicted"] and table["predicted"].tolist() == [0.1, 0.3] * 4
    assert table["augmentation"].tolist() == ["Bjerrum 2017"] * 4 + ["none"] * 4
