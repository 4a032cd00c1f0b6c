"""The part of the model of `predict_groups` that tells gases from condensed phases, beside the networks.

    PYTHONPATH=. DC_TESTDATA=... python data/make_phase_model.py

Networks and all else in the folder stay as they are. Trained on the training molecules of the study
nbs/studies/phase.ipynb, in half a minute; its stored test results go on the card.
"""

from pathlib import Path

from deep_chemometrics.infrared.prediction import add_phase
from studies.phase import phase_model, run_scores

FOLDER = Path(__file__).resolve().parent / "group_model"


def words() -> list[str]:
    "What the card says."
    scores = run_scores().set_index(["test", "phase", "range"])

    def told(test: str, phase: str, span: str = "whole file") -> str:
        row = scores.loc[(test, phase, span)]
        return ", ".join(f"{100 * row[name]:.1f} % {name}" for name in ("right", "wrong", "unclear"))

    tests = ("test molecules", "gases among condensed files")
    n = [int(scores.loc[(tests[0], phase, "whole file"), "spectra"]) for phase in ("gas", "condensed")]
    return [
        "a logistic regression of the square roots of absorbance from 720 to 3600 cm-1 tells gases from liquids, "
        "solids and solutions (nbs/studies/phase.ipynb); trained on the measured spectra of the training molecules. "
        "It tells a phase only where at most 2 % of what it tells was wrong on validation molecules",
        f"test molecules: of {n[0]:,} gases {told(tests[0], 'gas')}; of {n[1]} others {told(tests[0], 'condensed')}; "
        f"from 700 to 3600 cm-1 only: {told(tests[0], 'gas', '700 to 3600')}; "
        f"{told(tests[0], 'condensed', '700 to 3600')}",
        "46 gases that were measured on the instruments of the liquids, none of them trained on: "
        f"{told(tests[1], 'gas')}",
    ]


if __name__ == "__main__":
    add_phase(FOLDER, phase_model(), words())
