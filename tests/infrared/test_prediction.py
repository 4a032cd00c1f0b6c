"""The functional groups of a user's spectrum: what is stored, what is refused, and the model of the package."""

import json
import os
import re
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from deep_chemometrics.calibration import ApplicabilityDomain
from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import SpectralDataset
from deep_chemometrics.data.broadening import broaden
from deep_chemometrics.infrared import (
    GROUP_SMARTS,
    describe_groups,
    load_group_model,
    predict_groups,
    prepare_infrared,
    show_groups,
)
from deep_chemometrics.infrared import prediction as module
from deep_chemometrics.infrared.phase import SEEN, PhaseModel
from deep_chemometrics.infrared.prediction import GroupModel, add_phase, save_group_model
from deep_chemometrics.infrared.preparation import GROUP_AXIS
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.storage import embedded_file

CARD = {
    "name": "a test",
    "data": ["noise", "more noise"],
    "metrics": {"F1": {"train": 0.5, "test": 0.25}, "recall": {"test": 1.0}},
    "limits": "knows nothing",
    "licence": "MIT",
}
MEAN, HALF = np.full(850, 0.1), np.full(17, 0.5)


def network(seed=0, channels=(), activation="sigmoid", n_inputs=850, n_outputs=17):
    inputs = keras.Input((n_inputs, *channels))
    start = keras.initializers.RandomNormal(stddev=0.05, seed=seed)
    outputs = keras.layers.Dense(n_outputs, activation, kernel_initializer=start)(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, outputs)


@pytest.fixture(scope="module")
def model():
    return GroupModel((network(0), network(1, (1,))), np.linspace(0.2, 0.8, 17), MEAN, CARD)


@pytest.fixture(scope="module")
def ds():
    X = broaden([[1050, 1240, 1740, 2950], [700, 1640, 3350]], [[9, 16, 24, 11], [20, 9, 35]], GROUP_AXIS, 20)
    return SpectralDataset(X=X, axis=GROUP_AXIS, axis_name="wavenumber", axis_unit="cm-1", name="two")


# -- The model ------------------------------------------------------------


def test_threshold_becomes_a_half(model):
    X = np.random.default_rng(0).random((20, 850))
    p = np.mean([m.predict(x, verbose=0) for m, x in zip(model.members, (X, X[..., None]))], axis=0)
    q = model.predict(X)
    assert ((q >= 0.5) == (p >= model.thresholds)).all() and 0 < (q >= 0.5).mean() < 1
    assert np.allclose(module.log_odds(q) - module.log_odds(p), -module.log_odds(model.thresholds), atol=1e-4)
    for k in range(17):
        assert (np.argsort(q[:, k]) == np.argsort(p[:, k])).all()


def test_certain_networks_stay_certain():
    sure = network()
    sure.layers[-1].set_weights([np.zeros((850, 17)), np.where(np.arange(17) % 2, 100.0, -100.0)])
    q = GroupModel((sure,), np.full(17, 0.01), MEAN, CARD).predict(np.ones((1, 850)))
    assert np.isfinite(q).all() and (q[0, 1::2] > 0.999).all() and (q[0, ::2] < 1e-4).all()


@pytest.mark.parametrize("method", ["integrated_gradients", "gradient", "occlusion"])
def test_explanations_of_each_member_count(model, method):
    X = np.random.default_rng(0).random((2, 850))
    both = model.explain(X, "nitrile", method)
    each = [GroupModel((m,), HALF, MEAN, CARD).explain(X, "nitrile", method) for m in model.members]
    assert both.shape == (2, 850) and np.allclose(both, np.mean(each, axis=0), atol=1e-6)


def test_explanation_adds_up_to_log_odds(model):
    """Of one network without hidden layers: the log-odds less those of the mean spectrum; float32 inside."""
    one = GroupModel(model.members[:1], HALF, MEAN, CARD)
    X = np.random.default_rng(0).random((3, 850))
    odds = module.log_odds(one.predict(np.vstack([X, MEAN])))[:, 4]
    assert np.allclose(one.explain(X, "alcohol").sum(axis=1), odds[:3] - odds[3], atol=1e-3)


@pytest.mark.parametrize("X", [np.ones((1, 849)), np.full((1, 850), np.nan), np.ones(850)])
def test_predict_refuses(model, X):
    with pytest.raises(ValueError):
        model.predict(X)
    with pytest.raises(ValueError):
        model.explain(X, "alcohol")


def test_unknown_group(model):
    with pytest.raises(ValueError, match="thiol"):
        model.explain(np.ones((1, 850)), "thiol")


# -- The folder ------------------------------------------------------------


def test_saved_and_loaded(model, tmp_path):
    folder = save_group_model(tmp_path / "new" / "model", model.members, model.thresholds, MEAN, CARD)
    assert {p.name for p in folder.iterdir()} == {"member_0.keras", "member_1.keras", "card.json", "MODEL_CARD.md"}
    loaded = load_group_model(folder)
    X = np.random.default_rng(0).random((4, 850))
    assert np.allclose(loaded.predict(X), model.predict(X), atol=1e-6)
    assert np.allclose(loaded.mean_spectrum, MEAN) and np.array_equal(loaded.thresholds, model.thresholds)
    assert loaded.card["data"] == CARD["data"] and "python" in loaded.card["versions"]
    assert load_group_model(folder) is loaded, "remembered"


def test_saved_again_is_loaded_again_and_leaves_nothing(tmp_path):
    X = np.random.default_rng(0).random((4, 850))
    save_group_model(tmp_path, [network(0), network(1), network(2)], HALF, MEAN, CARD)
    first = load_group_model(tmp_path).predict(X)
    save_group_model(tmp_path, network(5), HALF, MEAN, CARD)
    os.utime(tmp_path / "card.json", ns=(1, 1))  # whatever the clock's resolution
    again = load_group_model(tmp_path)
    assert len(again.members) == 1 and not np.allclose(again.predict(X), first)
    assert not (tmp_path / "member_2.keras").exists()


def test_log_odds_become_probabilities(tmp_path):
    save_group_model(tmp_path, network(3, activation="linear"), HALF, MEAN, CARD, logits=True)
    X = np.random.default_rng(0).random((4, 850))
    expected = 1 / (1 + np.exp(-network(3, activation="linear").predict(X, verbose=0)))
    assert np.allclose(load_group_model(tmp_path).predict(X), expected, atol=1e-5)


def plain(n_channels, n_targets, seed):
    return network(seed, activation="linear")


def test_classifier_as_a_member(tmp_path):
    from deep_chemometrics.networks import CNNClassifier

    rng = np.random.default_rng(0)
    X, y = rng.random((40, 850)), rng.random((40, 17)) > 0.5
    y[0], y[1] = True, False
    classifier = CNNClassifier(plain, epochs=1, verbose=0, random_state=0, n_members=2).fit(X, y.astype(int))
    save_group_model(tmp_path, classifier, HALF, classifier.mean_spectrum_, CARD)
    assert np.allclose(load_group_model(tmp_path).predict(X), classifier.predict_proba(X), atol=1e-5)


def test_card_for_people(tmp_path):
    save_group_model(tmp_path, network(), HALF, MEAN, CARD)
    text = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert text.startswith("# a test\n") and "- noise\n- more noise" in text and "knows nothing" in text
    assert "| F1 | 0.5 | 0.25 |" in text and "| recall |  | 1 |" in text and "mean_spectrum" not in text
    assert all(f"| {group} | 0.5 |" in text for group in GROUP_SMARTS)


def test_numbers_of_numpy_on_the_card(tmp_path):
    table = pd.DataFrame({"F1": np.array([0.25, 0.5], "float32"), "molecules": [3, 4]}, index=["one", "two"])
    metrics = {name: {"F1": row["F1"], "n": np.int64(3)} for name, row in table.iterrows()}
    save_group_model(tmp_path, network(), HALF, MEAN, CARD | {"metrics": metrics})
    assert load_group_model(tmp_path).card["metrics"] == {"one": {"F1": 0.25, "n": 3}, "two": {"F1": 0.5, "n": 3}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"members": []}, "empty"),
        ({"card": CARD | {"metrics": {"F1": np.nan}}}, "finite numbers"),
        ({"card": CARD | {"data": [object()]}}, "finite numbers"),
        ({"members": network(n_inputs=800)}, "800"),
        ({"members": network(n_outputs=3)}, "must take"),
        ({"members": network(activation="linear")}, "logits=True"),
        ({"thresholds": np.full(17, 1.0)}, "thresholds"),
        ({"thresholds": np.full(16, 0.5)}, "thresholds"),
        ({"mean_spectrum": np.ones(5)}, "mean_spectrum"),
        ({"card": {k: v for k, v in CARD.items() if k not in ("data", "limits")}}, "data, limits"),
    ],
)
def test_save_refuses(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        save_group_model(
            tmp_path, **{"members": network(), "thresholds": HALF, "mean_spectrum": MEAN, "card": CARD} | change
        )
    assert not list(tmp_path.glob("*.json"))


def test_no_model(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"data/group_model"):
        load_group_model(tmp_path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda card: card["thresholds"].pop("ether"), "groups"),
        (lambda card: card["normalisation"].update(width=30.0), "normalisation"),
        (lambda card: card["axis"].update(channels=851), "axis"),
        (lambda card: card.pop("files"), "damaged"),
        (lambda card: card["files"].update({"member_0.keras": "0" * 64}), "not the file"),
        (lambda card: card["files"].update({"member_1.keras": "0" * 64}), "missing"),
    ],
)
def test_load_refuses(tmp_path, spoil, message):
    save_group_model(tmp_path, network(), HALF, MEAN, CARD)
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    spoil(card)
    (tmp_path / "card.json").write_text(json.dumps(card), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_group_model(tmp_path)


def test_no_json(tmp_path):
    (tmp_path / "card.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="damaged"):
        load_group_model(tmp_path)


# -- Predicting ------------------------------------------------------------


def test_table(model, ds, tmp_path):
    table = predict_groups(ds, model)
    assert isinstance(table, pd.DataFrame) and table.shape == (2, 17) and list(table) == list(GROUP_SMARTS)
    assert np.array_equal(table, model.predict(prepare_infrared(ds).X))
    rows = "\n".join(f"{x:.0f},{y:.6f}" for x, y in zip(ds.axis, ds.X[0]))
    (tmp_path / "a.csv").write_text(f"wavenumber / cm-1,a\n{rows}\n", encoding="utf-8")
    assert np.allclose(predict_groups(tmp_path / "a.csv", model, unit="absorbance"), table[:1], atol=1e-3)
    save_group_model(tmp_path / "model", model.members, model.thresholds, MEAN, CARD)
    assert np.allclose(predict_groups(ds, tmp_path / "model"), table, atol=1e-6)


def test_scores_and_probabilities(model, ds):
    """The table has exactly the 17 groups; 0.5 is each group's threshold. Probabilities need a calibration."""
    with pytest.raises(ValueError, match="no calibration"):
        predict_groups(ds, model, probabilities=True)
    calibration = np.column_stack([np.linspace(0.5, 2, 17), np.linspace(-1, 1, 17)])
    calibrated = replace(model, calibration=calibration)
    scores, probabilities = (predict_groups(ds, calibrated, probabilities=p) for p in (False, True))
    assert scores.equals(predict_groups(ds, model)), "a calibration leaves the scores alone"
    assert list(probabilities) == list(scores) == list(GROUP_SMARTS)
    odds = module.log_odds(scores) + module.log_odds(model.thresholds)
    assert np.allclose(module.log_odds(probabilities), calibration[:, 0] * odds + calibration[:, 1], atol=1e-3)


@pytest.mark.parametrize("wrong", [np.ones((16, 2)), np.zeros((17, 2)), np.full((17, 2), np.nan)])
def test_wrong_calibration(tmp_path, wrong):
    with pytest.raises(ValueError, match="calibration must be 17 rows"):
        save_group_model(tmp_path, network(), HALF, MEAN, CARD, calibration=wrong)


def test_calibration_is_stored(tmp_path):
    calibration = np.column_stack([np.linspace(0.5, 2, 17), np.linspace(-1, 1, 17)])
    save_group_model(tmp_path, network(), HALF, MEAN, CARD, calibration=calibration)
    assert np.array_equal(load_group_model(tmp_path).calibration, calibration)
    text = (tmp_path / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| alkane | 0.5 | -1 |" in text


def test_figures(model, ds):
    figure = show_groups(ds, ["alcohol", "nitrile"], model, row=1)
    assert len(figure.axes) == 3
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["spectrum", "speaks for the group", "against it"]
    bars = [patch.get_width() for patch in figure.axes[0].patches]
    assert bars == sorted(bars, reverse=True), "scores in descending order"
    names = {label.get_text(): label.get_fontweight() for label in figure.axes[0].get_yticklabels()}
    assert {name for name, weight in names.items() if weight == "bold"} == {"alcohol", "nitrile"}
    words = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert words.count("alcohol") == 2 and words.count("nitrile") == 1, "a name for each range of the tables"
    panel = figure.axes[1]
    assert panel.get_xlim()[0] > panel.get_xlim()[1] and "alcohol" in panel.get_ylabel()
    plt.close(figure)
    assert 2 <= len(show_groups(ds, model=model).axes) <= 4
    figure = show_groups(ds, "ester", model, method="gradient")
    assert len(figure.axes) == 2 and figure.axes[1].get_ylabel().startswith("ester"), "the group that was named"
    plt.close("all")
    predict_groups(ds[1], model, plot=True)
    plt.close("all")


@pytest.mark.parametrize(
    ("wrong", "message"), [({"groups": "thiol"}, "thiol"), ({"row": 2}, "out of range"), ({"row": -1}, "row")]
)
def test_figures_refuse(model, ds, wrong, message):
    with pytest.raises(ValueError, match=message):
        show_groups(ds, model=model, **wrong)


# -- Certainty, words, and what is no spectrum ------------------------------------------------------------


def calibrated(weights, bias=0.0):
    "A network of one layer with probabilities taken as they are."
    one = network()
    one.layers[-1].set_weights([weights, np.full(17, bias)])
    return GroupModel((one,), HALF, np.zeros(850), CARD, calibration=np.tile([1.0, 0.0], (17, 1)))


def band_model(group="ketone", low=1700, high=1750):
    "Predicts a group where there is a band."
    weights = np.zeros((850, 17))
    weights[(GROUP_AXIS >= low) & (GROUP_AXIS <= high), list(GROUP_SMARTS).index(group)] = 2
    return calibrated(weights, -4.0)


def curve(*positions, axis=GROUP_AXIS):
    X = broaden([list(positions)], [[1.0] * len(positions)], axis, 30)
    return SpectralDataset(X=X, axis=axis, axis_name="wavenumber", axis_unit="cm-1", name="one")


def test_certainty_is_the_product_of_the_probabilities_of_what_is_predicted():
    model = band_model()
    ds = curve(1725, 2950)
    p = predict_groups(ds, model, probabilities=True).to_numpy()[0]
    table = predict_groups(ds, model, certainty=True)
    assert list(table) == [*GROUP_SMARTS, "certainty"]
    assert np.isclose(table["certainty"][0], np.maximum(p, 1 - p).prod()) and 0.5 < table["certainty"][0] < 1
    with pytest.raises(ValueError, match="no calibration"):
        predict_groups(ds, GroupModel(model.members, HALF, MEAN, CARD), certainty=True)


def test_words_name_the_band_its_range_and_the_state():
    ds = curve(1725, 2950, axis=np.arange(600.0, 3604, 4))
    ds = replace(ds, samples={"state": ["LIQUID  (NEAT)"]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        lines = describe_groups(ds, band_model()).splitlines()
    assert lines[0] == "one: 600 to 3600 cm-1 (88%), state: liquid (neat)"
    assert re.fullmatch(r"all 17 predictions right: probability 0\.\d\d", lines[1])
    assert len(lines) == 3 and lines[2].startswith("ketone: present, score ")
    assert re.search("for it: C=O stretch near 17(20|24|28) cm-1$", lines[2])


def test_the_phase_is_told_in_table_words_and_figure(tmp_path):
    """By models that have a part for it; it is stored beside the networks and leaves them alone."""
    model = band_model()
    ds = curve(1725, 2950)
    with pytest.raises(ValueError, match="this model tells no phase"):
        predict_groups(ds, model, phase=True)
    assert "phase" not in describe_groups(ds, model)
    gas = PhaseModel(np.zeros(SEEN.sum()), 3.0, 0.9)
    assert list(predict_groups(ds, replace(model, phase=gas), phase=True)) == [*GROUP_SMARTS, "phase"]
    expected = {gas: "looks like a gas (probability 0.95)", replace(gas, limit=0.97): "phase unclear"}
    expected[replace(gas, intercept=-3.0)] = "looks like a liquid, solid or solution (probability 0.95)"
    for phase, words in expected.items():
        told = replace(model, phase=phase)
        assert describe_groups(ds, told).splitlines()[1] == words
        figure = show_groups(ds, model=told)
        assert figure.get_suptitle() == words
        plt.close(figure)
    folder = save_group_model(tmp_path, **vars(model))
    before = (folder / "member_0.keras").read_bytes()
    assert add_phase(folder, gas, ["tells gases"]) == folder
    assert (folder / "member_0.keras").read_bytes() == before
    loaded = load_group_model(folder)
    assert loaded.predict_phase(prepare_infrared(ds).X)[0] == "gas" and loaded.card["phase"] == ["tells gases"]
    assert "## Phase\n\n- tells gases\n\n## Limits" in (folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    save_group_model(folder, **vars(loaded))
    os.utime(folder / "card.json", ns=(1, 1))
    assert load_group_model(folder).phase.intercept == 3.0
    save_group_model(folder, **vars(model))
    assert not (folder / "phase.npz").exists(), "of an earlier model"


def test_a_phase_outside_the_applicability_domain_is_unclear():
    gas = PhaseModel(np.zeros(SEEN.sum()), 3.0, 0.9)
    X = np.random.default_rng(0).random((40, 850))
    domain = ApplicabilityDomain(3).fit(X)
    model = replace(band_model(), phase=gas, domain=domain)
    assert model.predict_phase(np.stack([X.mean(axis=0), 100 * X[0]])).tolist() == ["gas", "unclear"]


def test_words_name_what_speaks_against():
    weights = np.zeros((850, 17))
    column = list(GROUP_SMARTS).index("ester")
    weights[(GROUP_AXIS >= 1720) & (GROUP_AXIS <= 1790), column] = -0.05
    with pytest.warns(SpectrumWarning, match="no group is predicted"):
        words = describe_groups(curve(1750, 2950), calibrated(weights, -0.5))
    assert "ester: absent" in words and "against it: C=O stretch near 17" in words


def test_a_spectrum_without_any_group_is_told():
    with pytest.warns(SpectrumWarning, match="^row 0: no group is predicted. Perhaps this is no infrared spectrum"):
        predict_groups(curve(1000), band_model())
    with pytest.raises(ValueError, match="row=1 is out of range"):
        describe_groups(curve(1000), band_model(), row=1)


def test_the_baseline_of_explanations_has_the_same_missing_ends():
    """Else a range that was not measured would speak for or against a group."""
    weights = np.ones((850, 17))
    model = GroupModel(calibrated(weights).members, HALF, MEAN, CARD)
    X = np.random.default_rng(0).random((2, 850)) + 0.1
    X[1, :50] = 0
    explained = model.explain(X, "alcohol")
    assert (explained[1, :50] == 0).all() and (explained[0, :50] != 0).any()
    assert np.allclose(explained[0], model.explain(X[:1], "alcohol")[0], atol=1e-6)


# -- The model of the package ------------------------------------------------------------

needed = pytest.mark.skipif(
    not os.environ.get("DC_TESTDATA"), reason="DC_TESTDATA is not set: no measured spectra to predict"
)


def test_own_model_is_small_and_says_what_it_is():
    folder = embedded_file("group_model")
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5e6
    model = load_group_model()
    assert 1 <= len(model.members) <= 5 and all(model.card[name] for name in module.NEEDED_ON_CARD)
    assert model.domain is not None


def test_domain_travels_with_the_model(tmp_path):
    """What is inside says nothing, what is outside is named; without a domain nothing is said."""
    rng = np.random.default_rng(0)
    bands = np.exp(-0.5 * ((GROUP_AXIS - np.array([[900], [1700], [3000]])) / 40) ** 2)
    raw = np.vstack([(1 + rng.random((60, 3))) @ bands, rng.random((1, 850))])
    source = SpectralDataset(X=raw, axis=GROUP_AXIS, axis_name="wavenumber", axis_unit="cm-1", value_unit="absorbance")
    X = prepare_infrared(source).X
    domain, source = ApplicabilityDomain(3, level=1).fit(X[:60]), source[[0, 1, 60]]
    model = module.GroupModel((network(),), HALF, MEAN, CARD, domain)
    for given in (model, save_group_model(tmp_path, network(), HALF, MEAN, CARD, domain=domain)):
        with pytest.warns(
            SpectrumWarning, match="^row 2, with a Hotelling.* unlike the spectra that the networks were trained on"
        ):
            predict_groups(source, given)
        with pytest.warns(SpectrumWarning, match="^row 2, with"):
            plt.close(show_groups(source, model=given, row=2))
        with warnings.catch_warnings():
            warnings.simplefilter("error", SpectrumWarning)
            predict_groups(source[:2], given)
            plt.close(show_groups(source, model=given, row=1))
    loaded = load_group_model(tmp_path)
    assert np.array_equal(loaded.domain.distances(X), domain.distances(X))
    save_group_model(tmp_path, network(), HALF, MEAN, CARD)
    assert load_group_model(tmp_path).domain is None and not (tmp_path / "domain.npz").exists()
    with warnings.catch_warnings():
        warnings.simplefilter("error", SpectrumWarning)
        predict_groups(source, tmp_path)
    with pytest.raises(ValueError, match="850 features"):
        save_group_model(tmp_path, network(), HALF, MEAN, CARD, domain=ApplicabilityDomain(2).fit(X[:, :9]))


def test_own_model_opens_on_every_backend():
    """torch takes no seeds of 32 bits, and refuses the whole file."""
    for path in embedded_file("group_model").glob("*.keras"):
        with zipfile.ZipFile(path) as archive:
            seeds = re.findall(r'"seed": (\d+)', archive.read("config.json").decode())
        assert seeds and max(map(int, seeds)) < 2**31


def test_the_card_says_what_was_measured():
    """Scores on the test molecules, from the stored predictions of the networks that were not trained on them."""
    from studies.functional_groups import decisions, f1_of_groups, f1_of_molecules
    from studies.measured_groups import truth
    from studies.run import results_folder

    stored = pd.read_parquet(results_folder("measured_groups") / "package_model.parquet")
    card = load_group_model().card["metrics"]
    for phase in ("gas", "condensed"):
        rows = stored[(stored["phase"] == phase) & (stored["range"] == "whole file")]
        present, known = decisions(rows), truth(rows)
        enough = known.sum(axis=0) >= 10
        assert card["molecules"][phase] == len(rows)
        assert abs(card["F1, macro"][phase] - f1_of_groups(present, known)[enough].mean()) < 0.002
        assert abs(card["F1, molecular"][phase] - f1_of_molecules(present, known).mean()) < 0.002
        assert abs(card["all groups right"][phase] - (present == known).all(axis=1).mean()) < 0.002


@pytest.mark.slow
def test_own_model_on_computed_spectra():
    """Half of them were trained on; spectra without their ends and in transmittance are predicted nearly as well."""
    from deep_chemometrics.data import load_computed_ir

    ds = load_computed_ir()[::10]
    truth = ds.y[list(GROUP_SMARTS)].to_numpy() == 1
    whole = predict_groups(ds).to_numpy() >= 0.5
    part = ds.crop(700, 3600)
    percent = replace(part, X=100 * 10 ** (-part.X / part.X.max(axis=1, keepdims=True)), value_unit="transmittance (%)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        short = predict_groups(percent).to_numpy() >= 0.5

    def f1(present):
        return 2 * (present & truth).sum() / (present.sum() + truth.sum())

    assert f1(whole) > 0.85 and f1(short) > f1(whole) - 0.05


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["soil", "noise", "slope"])
def test_what_is_no_organic_substance_is_told(kind):
    from deep_chemometrics.data import load_soil

    rng = np.random.default_rng(0)
    soils = load_soil()[300:340]
    curves = {"soil": soils.X, "noise": rng.normal(size=soils.X.shape), "slope": np.linspace(1, 2, soils.X.shape[1])}
    X = curves[kind] + 0.001 * rng.normal(size=soils.X.shape)
    with pytest.warns(SpectrumWarning) as caught:
        predict_groups(replace(soils, X=X, value_unit="absorbance"), unit="absorbance")
    messages = [str(one.message) for one in caught]
    assert any("unlike the spectra" in one for one in messages)


@needed
def test_measured_spectra():
    """Easy ones: C=O of acetone, C#N of acetonitrile, the ring of benzene, O-H of methanol."""
    folder = Path(os.environ["DC_TESTDATA"], "gas_phase_ir")
    expected = {
        "acetone": "ketone",
        "acetonitrile": "nitrile",
        "benzene": "aromatic",
        "toluene": "aromatic",
        "ethyl acetate": "ester",
        "methanol": "alcohol",
        "n-pentane": "alkane",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        found = {name: predict_groups(folder / f"{name}.jdx")[group][0] for name, group in expected.items()}
        here = [prepare_infrared(folder / f"{name}.jdx").X[0] for name in expected]
    assert sum(value >= 0.5 for value in found.values()) >= 5, found
    assert (load_group_model().domain.predict(here) == 1).sum() >= 6, "of the kind of the training spectra"
