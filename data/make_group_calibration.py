"""The calibration of the group model: from scores to probabilities, on molecules that the networks were not trained on.

    PYTHONPATH=. python data/make_group_calibration.py

The model of the package was trained on the training molecules of the study nbs/studies/functional_groups.ipynb. Of
these a fifth is held back, and networks are trained in the same way on the others (ten minutes on one core); a logistic
curve per group is fitted to their predictions for augmented copies of the molecules that were held back. The test
molecules of the study take no part. Slopes and intercepts go into card.json and MODEL_CARD.md; the networks stay.
"""

import json
from pathlib import Path

import numpy as np

from deep_chemometrics.data.line_list import line_spectra, load_lines
from deep_chemometrics.infrared import augment_infrared
from deep_chemometrics.infrared.augmentation import jitter_lines
from deep_chemometrics.infrared.prediction import _calibration_table, _card_text, _json, _write_text
from deep_chemometrics.infrared.preparation import GROUP_AXIS, normalise_infrared
from deep_chemometrics.infrared.training import fit_calibration
from deep_chemometrics.networks import CNNClassifier
from studies.functional_groups import families, split

COPIES, EPOCHS, MEMBERS = 4, 12, 3
CARD = Path(__file__).resolve().parent / "group_model" / "card.json"


def augmented(rows: np.ndarray, seed: int) -> np.ndarray:
    "Copies (COPIES * n, 850) of computed spectra, made as those that the model was trained on."
    lines, random = load_lines()[rows], np.random.RandomState(seed)
    copies = []
    for _ in range(COPIES):
        jittered = jitter_lines(lines, random_state=random)
        X = line_spectra(jittered, GROUP_AXIS, float(random.uniform(6, 25)))
        X = augment_infrared(X / X.max(axis=1, keepdims=True), GROUP_AXIS, random_state=random)
        first = random.uniform(500, 620, len(X))  # where a file begins and ends
        last = random.uniform(3750, 3900, len(X))
        short = random.uniform(size=len(X)) < 0.5
        outside = ((GROUP_AXIS < first[:, None]) | (GROUP_AXIS > last[:, None])) & short[:, None]
        copies.append(normalise_infrared(np.where(outside, 0, X)).astype(np.float32))
    return np.concatenate(copies)


def held_back() -> np.ndarray:
    "Which training molecules are held back: a fifth of the families of molecules with nearly the same spectrum."
    family = families()[split()[0]]
    kinds = np.unique(family)
    return np.isin(family, np.random.default_rng(1).permutation(kinds)[: len(kinds) // 5])


def main() -> None:
    train, out = split()[0], held_back()
    labels = load_lines().groups.to_numpy()
    X, Y = augmented(train[~out], 0), np.tile(labels[train[~out]], (COPIES, 1)).astype(int)
    options = dict(batch_size=64, epochs=EPOCHS, validation_fraction=0, schedule="cosine", scale_X=None, verbose=0)
    networks = [CNNClassifier("group_net", random_state=seed, **options).fit(X, Y) for seed in range(MEMBERS)]
    Z, truth = augmented(train[out], 1), np.tile(labels[train[out]], (COPIES, 1))
    P = np.mean([network.predict_proba(Z) for network in networks], axis=0)
    write(fit_calibration(P, truth).round(4))


def write(calibration: np.ndarray) -> None:
    "Put a calibration (17, 2) into the card."
    card = json.loads(CARD.read_text(encoding="utf-8")) | _calibration_table(calibration)
    _write_text(CARD, _json(card) + "\n")
    _write_text(CARD.with_name("MODEL_CARD.md"), _card_text(card))


if __name__ == "__main__":
    main()
