"""The model of `predict_groups`: networks for gas phase and condensed phase, trained on measured and computed spectra.

    PYTHONPATH=. DC_TESTDATA=... python data/make_group_model.py split     # trained on the training molecules only
    PYTHONPATH=. DC_TESTDATA=... python data/make_group_model.py all       # the one that is shipped

The measured spectra are under copyright and not part of the project; trained weights are. The molecules of the study
nbs/studies/measured_groups.ipynb are split by their InChIKey. Networks trained on the training molecules ("split") give
thresholds and calibration from the validation molecules, and the metrics of the card from the test molecules. Then the
same recipe is run on all molecules ("all") for the other networks, with the same thresholds and calibration. Molecules
that are kept for a final test (held_out_inchikeys.txt) take no part in anything, also not as computed spectra. Each
network takes some minutes; networks that were trained before are found in the cache folder.
"""

import json
import os
import sys
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import pooch

from deep_chemometrics.calibration import ApplicabilityDomain
from deep_chemometrics.data import load_soil
from deep_chemometrics.data.line_list import line_spectra, load_lines
from deep_chemometrics.infrared import GROUP_SMARTS, augment_infrared, prepare_infrared, training
from deep_chemometrics.infrared.augmentation import jitter_lines
from deep_chemometrics.infrared.collection import molecule_key
from deep_chemometrics.infrared.prediction import GroupModel, save_group_model
from deep_chemometrics.infrared.preparation import GROUP_AXIS, normalise_infrared
from deep_chemometrics.infrared.training import (
    best_thresholds,
    fast_pooling,
    fit_calibration,
    usual_pooling,
    vary_infrared,
)
from deep_chemometrics.networks import CNNClassifier, group_net
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.networks.saving import read_model, write_model
from studies.functional_groups import f1_of_groups, scores
from studies.measured_groups import PHASES, labels, measured, part_of
from studies.run import results_folder

COPIES, EPOCHS = 6, 6
REFINING = {"epochs": 8, "learning_rate": 6e-4}  # on spectra that are hardly varied
# each network by what it was trained on and its seed
SPLIT = [("split", 0)]
MEMBERS = {"split": SPLIT, "all": [*SPLIT, ("all", 0), ("all", 1)]}
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
    centres, widths = random.uniform(-1, 1, (2, n, 3, 1)) + np.reshape([0, 1.2], (2, 1, 1, 1))
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


def plain_spectra(which: str) -> tuple[np.ndarray, np.ndarray]:
    "Prepared measured and computed spectra without variation, and their molecules."
    tables, molecules = [], []
    for phase in PHASES:
        keys = measured(phase).samples["inchikey"].to_numpy()
        rows = np.flatnonzero((part_of(keys) == "train") | (which == "all"))
        tables.append(measured(phase).X[rows])
        molecules.append(keys[rows])
    keys, usable = computed()
    rows = np.flatnonzero(usable & ((part_of(keys) == "train") | (which == "all")))
    tables.append(normalise_infrared(line_spectra(load_lines()[rows], GROUP_AXIS, 12.0)))
    return np.concatenate(tables), np.concatenate([*molecules, keys[rows]])


def plain_labels(which: str) -> np.ndarray:
    "Of the rows of `plain_spectra`."
    tables = []
    for phase in PHASES:
        keys = measured(phase).samples["inchikey"].to_numpy()
        tables.append(labels(phase)[(part_of(keys) == "train") | (which == "all")])
    keys, usable = computed()
    rows = np.flatnonzero(usable & ((part_of(keys) == "train") | (which == "all")))
    return np.concatenate([*tables, load_lines().groups.to_numpy()[rows]])


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


def weakly_varied(X: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    "Prepared spectra nearly as they are; half of them without the ends of their range."
    there = training._cut_ends(*training._ends(X), random)
    strengths = dict(width=(0.0, 4.0), shift=2.0, stretch=0.0003, baseline=0.005, noise=0.001, gases=0.01)
    X = augment_infrared(X, GROUP_AXIS, **strengths, random_state=random)
    X -= training._low(X, there)
    highest = np.max(X, axis=1, keepdims=True, where=there, initial=1e-6)
    return np.where(there, X / highest, 0).astype(np.float32)


def refined(which: str, seed: int) -> keras.Model:
    "A member, trained further on spectra that are hardly varied; from the cache folder if there is one."
    path = Path(pooch.os_cache("deep_chemometrics"), "group_model", f"refined_{which}_{seed}.keras")
    if not path.exists():
        model = member(which, seed)
        fast = keras.models.clone_model(model, clone_function=training._fast_layer, recursive=True)
        fast.set_weights(model.get_weights())
        random = np.random.RandomState(100 + seed)
        X, _ = plain_spectra(which)
        others = no_molecules()[::3]
        X = np.concatenate([X, others]).astype(np.float32)
        Y = np.concatenate([plain_labels(which), np.zeros((len(others), len(GROUPS)))]).astype(np.float32)
        steps = -(-len(X) // 64) * REFINING["epochs"]
        rate = keras.optimizers.schedules.CosineDecay(REFINING["learning_rate"], steps)
        fast.compile(keras.optimizers.Adam(rate), "binary_crossentropy")
        for _ in range(REFINING["epochs"]):
            fast.fit(weakly_varied(X, random), Y, batch_size=64, verbose=0)
        write_model(path, training.usual_pooling(fast), {"class": "GroupModel"})
    return read_model(path)[0]


def of_part(phase: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    "Prepared spectra and labels of the molecules of a part."
    rows = np.flatnonzero(part_of(measured(phase).samples["inchikey"]) == part)
    return measured(phase).X[rows].astype(np.float32), labels(phase)[rows]


def stored_rows(model: GroupModel, X: np.ndarray, truth: np.ndarray, **columns: str) -> pd.DataFrame:
    "Probabilities, decisions and truth of test molecules, a row a spectrum."
    bits = 1 << np.arange(len(GROUPS))
    table = pd.DataFrame(model.predict_proba(X).astype(np.float32).round(4), columns=[f"p{i}" for i in range(17)])
    return table.assign(**columns, truth=truth @ bits, decisions=(model.predict(X) >= 0.5) @ bits)


def evaluate() -> dict:
    "Thresholds and calibration from the validation molecules, metrics on the test molecules, of the split model."
    members = tuple(refined(*one) for one in SPLIT)
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
    metrics, brier, stored = {}, {}, []
    for phase in PHASES:
        Z, truth = of_part(phase, "test")
        part = np.where((GROUP_AXIS >= 700) & (GROUP_AXIS <= 3600), Z, 0)
        part = part / part.max(axis=1, keepdims=True)
        stored.append(stored_rows(model, Z, truth, phase=phase, range="whole file"))
        stored.append(stored_rows(model, part, truth, phase=phase, range="700 to 3600 cm-1"))
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
    results = results_folder("measured_groups")
    pd.concat(stored, ignore_index=True).to_parquet(results / "package_model.parquet")
    rows = {name: {phase: metrics[phase].get(name, "") for phase in PHASES} for name in metrics["gas"]}
    skills = {name: {phase: brier[phase].get(name, "") for phase in PHASES} for name in brier["gas"]}
    return {"thresholds": thresholds, "calibration": calibration, "metrics": rows, "Brier skill": skills}


def main(which: str) -> None:
    found = evaluate()
    thresholds, calibration = found.pop("thresholds"), found.pop("calibration")
    print(json.dumps(found, indent=1))
    members = [refined(*one) for one in MEMBERS[which]]
    X, molecules = plain_spectra(which)
    domain = ApplicabilityDomain(30, level=0.99).fit(X, groups=molecules)
    mean = np.nanmean(np.where(X == 0, np.nan, X), axis=0)
    text = card(which, found)
    save_group_model(FOLDER, members, thresholds, mean, text, domain=domain, calibration=calibration.round(4))


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
        "training": f"{len(MEMBERS[which])} networks of {group_net(850, coverage=True).count_params():,} numbers, "
        f"{COPIES} varied copies of each spectrum (shift, resolution, baseline, noise, saturation, missing ends), "
        f"{EPOCHS} epochs, then {REFINING['epochs']} epochs on spectra that were hardly varied but for missing ends; "
        "data/make_group_model.py",
        "metrics": found["metrics"],
        "evaluation": "on the test molecules of the study nbs/studies/measured_groups.ipynb, by "
        "one network that was trained on the 70 % training molecules (the first of this folder); thresholds "
        "and calibration are from the 15 % validation molecules. Macro F1 over groups with at least 10 test positives. "
        + f"The other networks ({len(MEMBERS[which]) - len(SPLIT)}) were then trained in the same way on the molecules "
        "of all three parts: no molecules are left to measure all networks together. Scores of earlier versions on the "
        "test molecules were known when the second stage of training was selected on validation molecules: these "
        "numbers may be a little too good",
        "Brier skill": found["Brier skill"],
        "limits": [
            "gases, liquids, solids and solutions from 700 to 3200 cm-1 at least; missing ends are recognised as such",
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
