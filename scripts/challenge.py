"""A sealed challenge: spectra whose answers only the teacher has.

`make challenge SEED=...` simulates a mixture on two instruments, with scatter and an interferent, and writes

- challenge/students/: training spectra with contents, test spectra of both instruments without, and a template;
- challenge/teacher/answers.csv: the contents of the test samples, to be kept.

`python scripts/challenge.py score FILE...` compares submissions with the answers, beside the baselines. Without the
seed nobody can make the answers; choose a number that is hard to guess.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline

from deep_chemometrics.calibration import PLSRegressionCV
from deep_chemometrics.data import SpectralDataset, simulate_spectra
from deep_chemometrics.preprocessing import EMSC, SNV

FOLDER = Path("challenge")
BASELINES = {
    "mean of the training samples": None,
    "PLS": PLSRegressionCV(random_state=0),
    "EMSC, PLS": make_pipeline(EMSC(order=2), PLSRegressionCV(random_state=0)),
    "SNV, ridge": make_pipeline(SNV(), RidgeCV(np.logspace(-6, 2, 17))),
}


def simulate(seed: int) -> tuple[SpectralDataset, SpectralDataset]:
    """Training spectra (instrument 1), and test spectra of instrument 1 and then 2."""
    sim = simulate_spectra(
        150, "scatter", n_test=75, random_state=seed, n_interferents=3, overlap=0.5, shift=0.05, noise=0.002
    )
    test = [sim.where(role="test", instrument=instrument).dataset for instrument in (1, 2)]
    return sim.where(role="train", instrument=1).dataset, SpectralDataset.concat(test)


def content(data: SpectralDataset) -> np.ndarray:
    return data.y.iloc[:, 0].to_numpy()


def table(data: SpectralDataset) -> pd.DataFrame:
    """One row a spectrum: sample, instrument, then the channels by wavelength."""
    frame = pd.DataFrame(data.X.round(6), columns=[f"{x:g}" for x in data.axis])
    frame.insert(0, "instrument", data.samples["instrument"].to_numpy())
    frame.insert(0, "sample", np.arange(len(data)))
    return frame


def write(seed: int, folder: Path = FOLDER) -> None:
    train, test = simulate(seed)
    students = folder / "students"
    teacher = folder / "teacher"
    students.mkdir(parents=True, exist_ok=True)
    teacher.mkdir(parents=True, exist_ok=True)
    training = table(train)
    training.insert(2, "content", content(train).round(6))
    training.to_csv(students / "training.csv", index=False)
    table(test).to_csv(students / "test.csv", index=False)
    template = pd.DataFrame({"sample": np.arange(len(test)), "predicted": content(train).mean().round(6)})
    template.to_csv(students / "submission.csv", index=False)
    answers = table(test)[["sample", "instrument"]].assign(content=content(test))
    predictions = {
        name: np.full(len(test), content(train).mean())
        if model is None
        else np.ravel(model.fit(train.X, content(train)).predict(test.X))
        for name, model in BASELINES.items()
    }
    answers.assign(**predictions).to_csv(teacher / "answers.csv", index=False)
    print(f"For the students: {students.as_posix()}. Keep {teacher.as_posix()} to yourself.")


def rmsep(predicted: pd.Series, answers: pd.DataFrame) -> dict[str, float]:
    errors = (predicted - answers["content"]) ** 2
    return {
        f"instrument {instrument}": float(np.sqrt(errors[answers["instrument"] == instrument].mean()))
        for instrument in (1, 2)
    }


def read_submission(path: Path, answers: pd.DataFrame) -> pd.Series:
    """The predictions of a file in the order of the answers. Raises `ValueError` for a file that is not complete."""
    given = pd.read_csv(path)
    if list(given.columns) != ["sample", "predicted"]:
        raise ValueError(f"{path.name} must have the columns sample and predicted, not {', '.join(given.columns)}.")
    given = given.set_index("sample")["predicted"]
    if not given.index.is_unique or set(given.index) != set(answers["sample"]):
        raise ValueError(f"{path.name} must have one row for each of the {len(answers)} samples of test.csv.")
    given = pd.to_numeric(given, errors="coerce")
    if not np.isfinite(given).all():
        raise ValueError(
            f"{path.name}: predictions must be numbers; sample {given.index[~np.isfinite(given)][0]} is not."
        )
    return given.loc[answers["sample"]].reset_index(drop=True)


def score(paths: list[Path], folder: Path = FOLDER) -> pd.DataFrame:
    """RMSEP of submissions and baselines on both instruments, best on instrument 2 first."""
    answers = pd.read_csv(folder / "teacher" / "answers.csv")
    rows = {path.stem: rmsep(read_submission(path, answers), answers) for path in paths}
    rows |= {f"({name})": rmsep(answers[name], answers) for name in BASELINES}
    return pd.DataFrame(rows).T.sort_values("instrument 2")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("write", help="simulate and write the files").add_argument("seed", type=int)
    commands.add_parser("score", help="RMSEP of submissions").add_argument("files", nargs="+", type=Path)
    given = parser.parse_args()
    if given.command == "write":
        write(given.seed)
        return 0
    try:
        print(score(given.files).round(4).to_string())
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
