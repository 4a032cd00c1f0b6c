"""The model of `predict_groups`: networks for gas phase and condensed phase, trained on measured and computed spectra.

    PYTHONPATH=. DC_TESTDATA=... python data/make_group_model.py split     # trained on the training molecules only
    PYTHONPATH=. DC_TESTDATA=... python data/make_group_model.py all       # the one that is shipped

The measured spectra are under copyright and not part of the project; trained weights are. The molecules of the study
nbs/studies/measured_groups.ipynb are split by their InChIKey. Networks trained on the training molecules ("split") give
thresholds and calibration from the validation molecules, and the metrics of the card from the test molecules. Then the
same recipe is run on all molecules ("all"), with the same thresholds and calibration. Molecules that are kept for a
final test (held_out_inchikeys.txt) take no part in anything, also not as computed spectra. Each network takes some
minutes; networks that were trained before are found in the cache folder.
"""

import json
import os
import sys
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pooch

from deep_chemometrics.calibration import ApplicabilityDomain
from deep_chemometrics.data import load_soil
from deep_chemometrics.data.line_list import line_spectra, load_lines
from deep_chemometrics.infrared import GROUP_SMARTS, prepare_infrared
from deep_chemometrics.infrared.augmentation import jitter_lines
from deep_chemometrics.infrared.collection import molecule_key
from deep_chemometrics.infrared.prediction import GroupModel, save_group_model
from deep_chemometrics.infrared.preparation import GROUP_AXIS, normalise_infrared
from deep_chemometrics.infrared.training import best_thresholds, fast_pooling, fit_calibration, usual_pooling
from deep_chemometrics.infrared.training import vary_infrared
from deep_chemometrics.networks import CNNClassifier, group_net
from deep_chemometrics.networks.saving import read_model, write_model
from studies.functional_groups import f1_of_groups, scores
from studies.measured_groups import PHASES, labels, measured, part_of

COPIES, EPOCHS = 6, 6
MEMBERS = {"split": 3, "all": 4}
GROUPS = list(GROUP_SMARTS)
FOLDER = Path(__file__).resolve().parent / "group_model"
N_SOILS = 300  # of 500; the others show whether soils are recognised as something else


def no_molecules(seed: int = 0) -> np.ndarray:
    "Prepared curves that are no spectrum of an organic substance, without any group: noise, slopes, humps, soils."
    random = np.random.default_rng(seed)
    n, t = 120, np.linspace(-1, 1, len(GROUP_AXIS))
    noise = random.normal(size=(n, len(t)))
    walks = np.cumsum(random.normal(size=(n, len(t))), axis=1)
    slopes = random.normal(size=(n, 5)) @ np.stack([t**k for k in range(1, 6)])
    centres, widths = random.uniform(-1, 1, (2, n, 3, 1)) + [[[[0]]], [[[1.2]]]]
    humps = (random.uniform(0.2, 1, (n, 3, 1)) * np.exp(-0.5 * ((t - centres) / (0.3 * widths)) ** 2)).sum(axis=1)
    curves = [noise, walks, slopes, humps]
    for curve in curves[1:]:
        curve -= curve.min(axis=1, keepdims=True)
        curve += random.uniform(0, 0.02, (n, 1)) * np.ptp(curve, axis=1)[:, None] * random.normal(size=curve.shape)
    soils = prepare_infrared(load_soil()).X[:N_SOILS]
    return np.concatenate([normalise_infrared(np.concatenate(curves)), soils]).astype(np.float32)


@lru_cache
def computed() -> tuple[np.ndarray, np.ndarray]:
    "Keys of the computed molecules, and which of them may be used: those that are kept for a final test may not."
    keys = np.array([molecule_key(smiles) for smiles in load_lines().samples["smiles"]])
    listed = Path(os.environ["DC_TESTDATA"], "held_out_inchikeys.txt").read_text("utf-8").split()
    return keys, ~np.isin(keys, [key[:14] for key in listed])


def computed_spectra(rows: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    "Prepared computed spectra with errors of the method drawn at random."
    lines = jitter_lines(load_lines()[rows], shift=0.006, intensity=0.3, random_state=random)
    X = line_spectra(lines, GROUP_AXIS, float(random.uniform(6, 18)))
    return normalise_infrared(X).astype(np.float32)


def training_set(which: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    "Varied spectra, labels and molecules of a member."
    random = np.random.RandomState(seed)
    tables, truth, molecules = [], [], []
    for phase in PHASES:
        keys = measured(phase).samples["inchikey"].to_numpy()
        rows = np.flatnonzero((part_of(keys) == "train") | (which == "all"))
        tables.append(vary_infrared(measured(phase).X[rows].astype(np.float32), COPIES, random))
        truth.append(np.repeat(labels(phase)[rows], COPIES, axis=0))
        molecules.append(np.repeat(keys[rows], COPIES))
    keys, usable = computed()
    rows = np.flatnonzero(usable & ((part_of(keys) == "train") | (which == "all")))
    for _ in range(COPIES):
        tables.append(vary_infrared(computed_spectra(rows, random), 1, random))
        truth.append(load_lines().groups.to_numpy()[rows])
        molecules.append(keys[rows])
    others = no_molecules()
    tables.append(vary_infrared(others, COPIES, random))
    truth.append(np.zeros((COPIES * len(others), len(GROUPS)), bool))
    molecules.append(np.repeat([f"no molecule {i}" for i in range(len(others))], COPIES))
    return np.concatenate(tables), np.concatenate(truth), np.concatenate(molecules)


def member(which: str, seed: int):
    "A trained network, from the cache folder if it was trained before."
    path = Path(pooch.os_cache("deep_chemometrics"), "group_model", f"{which}_{seed}.keras")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        X, Y, _ = training_set(which, seed)
        network = CNNClassifier(
            fast_pooling(partial(group_net, coverage=True)),
            epochs=EPOCHS,
            batch_size=64,
            validation_fraction=0,
            schedule="cosine",
            scale_X=None,
            random_state=seed,
            verbose=0,
        )
        model = usual_pooling(network.fit(X, Y.astype(int)).model_)
        write_model(path, model, {"class": "GroupModel"})
    return read_model(path)[0]


def of_part(phase: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    "Prepared spectra and labels of the molecules of a part."
    rows = np.flatnonzero(part_of(measured(phase).samples["inchikey"]) == part)
    return measured(phase).X[rows].astype(np.float32), labels(phase)[rows]


def evaluate() -> dict:
    "Thresholds and calibration from the validation molecules, metrics on the test molecules, of the split model."
    members = tuple(member("split", seed) for seed in range(MEMBERS["split"]))
    raw = GroupModel(members, np.full(17, 0.5), np.zeros(850), {})
    X, Y = (np.concatenate(both) for both in zip(*(of_part(phase, "validation") for phase in PHASES)))
    # files differ in their range: half of the validation spectra lose the ends of theirs
    X = np.concatenate([X, vary_infrared(X, 1, np.random.RandomState(0))])
    Y = np.concatenate([Y, Y])
    P = raw.predict(X)
    # halfway to the threshold that would suit calibrated probabilities: rare groups have few positives
    thresholds = (best_thresholds(P, Y) + 0.42) / 2
    calibration = fit_calibration(P, Y)
    model = GroupModel(members, thresholds, np.zeros(850), {}, calibration=calibration)
    metrics, brier = {}, {}
    for phase in PHASES:
        Z, truth = of_part(phase, "test")
        present = model.predict(Z) >= 0.5
        probability = model.predict_proba(Z)
        f1, found, n = f1_of_groups(present, truth), scores(present, truth), truth.sum(axis=0)
        column = {"F1, macro": np.mean(f1[n >= 10]), "F1, molecular": found["molecular F1"]}
        column["all groups right"] = found["all right"]
        column |= {group: f for group, f, k in zip(GROUPS, f1, n) if k >= 10}
        prevalence = truth.mean(axis=0)
        skill = 1 - ((probability - truth) ** 2).mean(axis=0) / np.maximum(prevalence * (1 - prevalence), 1e-9)
        brier[phase] = {g: round(float(s), 3) for g, s, k in zip(GROUPS, skill, n) if k >= 30}
        metrics[phase] = {name: round(float(value), 3) for name, value in column.items()}
        metrics[phase]["molecules"] = len(truth)
    rows = {name: {phase: metrics[phase].get(name, "") for phase in PHASES} for name in metrics["gas"]}
    skills = {name: {phase: brier[phase].get(name, "") for phase in PHASES} for name in brier["gas"]}
    return {"thresholds": thresholds, "calibration": calibration, "metrics": rows, "Brier skill": skills}


def main(which: str) -> None:
    found = evaluate()
    thresholds, calibration = found.pop("thresholds"), found.pop("calibration")
    print(json.dumps(found, indent=1))
    members = [member(which, seed) for seed in range(MEMBERS[which])]
    X, _, molecules = training_set(which, 0)
    some = np.random.default_rng(0).permutation(len(X))[:20000]
    real = some[[not name.startswith("no molecule") for name in molecules[some]]]
    domain = ApplicabilityDomain(60, level=0.999).fit(X[real], groups=molecules[real])
    there = np.where(X[real] == 0, np.nan, X[real])
    save_group_model(
        FOLDER,
        members,
        thresholds,
        np.nanmean(there, axis=0),
        card(which, found),
        domain=domain,
        calibration=calibration.round(4),
    )


def card(which: str, found: dict) -> dict:
    "The card of the model."
    n = {phase: len(measured(phase)) for phase in PHASES}
    n_computed = int(computed()[1].sum())
    return {
        "name": "Functional groups from infrared spectra",
        "data": [
            f"{n['gas']:,} measured gas-phase and {n['condensed']:,} measured condensed-phase spectra (NIST Chemistry "
            "WebBook: EPA vapour phase library, NIST; Coblentz Society). The spectra are under copyright and not "
            "part of this project",
            f"{n_computed:,} computed spectra (data/computed_ir.npz), with errors of the method drawn at random",
            f"{N_SOILS} soils (data/soil.csv.gz) and 480 curves without a band (noise, slopes, humps), as examples of "
            "what is no organic substance",
        ],
        "training": f"{MEMBERS[which]} networks of {group_net(850, coverage=True).count_params():,} numbers, "
        f"{COPIES} varied copies of each spectrum (shift, resolution, baseline, noise, saturation, missing ends), "
        f"{EPOCHS} epochs; data/make_group_model.py",
        "metrics": found["metrics"],
        "evaluation": "on the test molecules of the study nbs/studies/measured_groups.ipynb, by "
        f"{MEMBERS['split']} networks that were trained on the 70 % training molecules in the same way; thresholds and "
        "calibration are from the 15 % validation molecules. The networks in this folder were then trained "
        + ("on all molecules. " if which == "all" else "on the training molecules. ")
        + "Macro F1 over groups with at least 10 test positives",
        "Brier skill": found["Brier skill"],
        "limits": [
            "gases, liquids, solids and solutions from 700 to 3200 cm-1 at least; what is missing is taken into account",
            "500 to 3900 cm-1 in steps of 4; most stretches of C-Br and C-I lie below that",
            "a pure organic substance: of a mixture the strongest part is recognised, bands of solvents and of the "
            "mulling agent count as bands of the substance",
            "ketones, aldehydes, ethers and alkyl halides are more often wrong than other groups; salts, polymers and "
            "metal-organic substances are rare among the training spectra",
            "Raman spectra that are labelled as infrared ones are not recognised as such",
        ],
        "licence": "MIT",
    }


if __name__ == "__main__":
    main(sys.argv[1])
