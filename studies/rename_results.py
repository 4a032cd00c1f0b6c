"""The stored results of the studies in today's words: settings, tables and the JSON beside them, renamed together.

Run `python -m studies.rename_results` in the repository. It moves the files of `nbs/studies/results` to a folder for
each study, renames columns and values, and changes no number. What has today's names already is left as it is, so
running it twice does no harm. The names that a study gives its settings are those of its module, for example
`studies.tablets.CORRECTIONS`.
"""

import json
import shutil
from pathlib import Path

import numpy as np

from deep_chemometrics.storage import written_whole
from studies.run import _read_table, _write_table, results_folder

OLD_FOLDER = Path(__file__).resolve().parents[1] / "nbs" / "studies" / "results"
CORRECTIONS = {
    "quiet": "low-noise channels",
    "quiet, EMSC 2": "low-noise channels, EMSC 2",
    "quiet, EMSC 2 + derivative": "low-noise channels, EMSC 2 + derivative",
}
AUGMENTATIONS = {"source": "Bjerrum 2017", "wide": "strong", "measured": "estimated"}
EXPLANATION_SCORES = {
    "left over": "completeness error",
    "beaten": "win rate",
    "mass": "attribution_mass",
    "mass, raw": "attribution_mass, raw",
}
# old name: study, new name, columns, values of settings or columns
FILES = {
    "tablets_predictions.parquet": (
        "tablets",
        "predictions.parquet",
        {"yhat": "predicted"},
        {
            "model": {"PLS, peeked": "PLS, selected on the test set"},
            "correction": CORRECTIONS,
            "augmentation": AUGMENTATIONS,
            "task": {"evaluation": "test", "middle": "only 192 mg", "ends": "without 192 mg"},
        },
    ),
    "tablets_inside.parquet": (
        "tablets",
        "inside.parquet",
        {},
        {"correction": CORRECTIONS, "augmentation": AUGMENTATIONS},
    ),
    "functional_groups.parquet": (
        "functional_groups",
        "predictions.parquet",
        {"where": "part", "said": "decisions"},
        {"model": {"expert's bands": "table of group frequencies"}},
    ),
    "explanations_physics.parquet": (
        "group_explanations",
        "scores.parquet",
        {"among": "band_auc", "mass": "attribution_mass", "mass_chance": "attribution_mass_chance"},
        {"method": {"chance": "random"}},
    ),
    "explanations_patterns.parquet": (
        "group_explanations",
        "patterns.parquet",
        {"attention": "attribution", "part": "share"},
        {},
    ),
    "explanations_alike.parquet": (
        "group_explanations",
        "seed_agreement.parquet",
        {"agreement of single": "agreement by spectrum"},
        {},
    ),
    "explanations.parquet": ("explanation_methods", "scores.parquet", EXPLANATION_SCORES, {}),
    "explanations_single.parquet": ("explanation_methods", "single_changes.parquet", EXPLANATION_SCORES, {}),
    "overfitting.parquet": ("overfitting", "predictions.parquet", {"place": "row"}, {}),
    "overfitting_curves.csv.gz": ("overfitting", "curves.csv.gz", {}, {}),
    "tuning_judged.csv.gz": ("tuning", "test_predictions.csv.gz", {"place": "row"}, {}),
    "our_network.parquet": (
        "savgol_network",
        "contest.parquet",
        {},
        {"stage": {"judged": "test"}},
    ),
    "our_network_parts.parquet": (
        "savgol_network",
        "parts.parquet",
        {},
        {"part": {"end starts at random": "last layer starts at random", "floor 0.000001": "floor of 0.000001"}},
    ),
}
PLAIN = {  # moved as they are
    "fganet.keras": "group_explanations/fganet.keras",
    "fganet_weights.npz": "group_explanations/fganet_weights.npz",
    "tuning.csv": "tuning/trials.csv",
    "tuning.json": "tuning/trials.json",
}


def beside(path: Path) -> Path:
    """Path of the JSON file that belongs to a table of results."""
    return path.with_name(path.name.split(".")[0] + ".json")


def _move(old: Path, new: Path) -> None:
    if old.exists():
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(old, new)


def rename_table(path: Path, columns: dict[str, str], values: dict[str, dict[str, str]]) -> bool:
    """Rename `columns` and `values` (by column) in a table and its JSON file; says whether there was anything to do.

    Names of settings are not renamed, only their values. Numbers, and the order of rows and tasks, stay.
    """
    record = json.loads(beside(path).read_text(encoding="utf-8"))
    table = _read_table(path, record["names"])
    dtypes = table.dtypes
    renamed = table.rename(columns={old: new for old, new in columns.items() if old in table})
    for column, new_names in values.items():
        renamed[column] = renamed[column].replace(new_names)
    tasks = []
    for task in record["tasks"]:
        setting = {
            name: values.get(name, {}).get(value, value) if isinstance(value, str) else value
            for name, value in task["setting"].items()
        }
        tasks.append(task | {"setting": setting})
    if list(renamed) == list(table) and renamed.equals(table) and tasks == record["tasks"]:
        return False
    assert np.array_equal(renamed.dtypes.to_numpy(), dtypes.to_numpy()), "no type may change"
    names, versions = json.dumps(record["names"]), json.dumps(record["versions"])
    lines = ",\n".join(json.dumps(task) for task in tasks)
    with written_whole(beside(path)) as part:
        part.write_text(f'{{"names": {names},\n"versions": {versions},\n"tasks": [\n{lines}\n]}}\n', encoding="utf-8")
    with written_whole(path) as part:
        _write_table(renamed, part)
    return True


def main() -> None:
    """Move and rename all stored results."""
    for old, new in PLAIN.items():
        _move(OLD_FOLDER / old, results_folder("") / new)
    for old, (study, name, columns, values) in FILES.items():
        path = results_folder(study) / name
        _move(beside(OLD_FOLDER / old), beside(path))
        _move(OLD_FOLDER / old, path)
        if path.exists() and rename_table(path, columns, values):
            print(f"renamed {study}/{name}")


if __name__ == "__main__":
    main()
