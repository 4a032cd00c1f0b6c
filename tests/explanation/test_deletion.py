"""Checks of explanations where everything is known: linear models, and attributions that are wrong on purpose."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from deep_chemometrics.explanation import (
    agreement,
    attribute,
    bands,
    completeness_error,
    evaluate_explanations,
    faithfulness,
    localization,
    noise_check,
    target_check,
    weight_check,
)
from deep_chemometrics.networks import CNNRegressor, ScatterCorrection
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.preprocessing import SNV

N, K = 48, 6
RNG = np.random.default_rng(0)
X = np.cumsum(RNG.normal(size=(15, N)), axis=1)  # neighbours are alike, as in spectra
WEIGHTS = RNG.normal(size=(N, 2))
MEAN = X.mean(axis=0)
EXACT = [WEIGHTS[:, i] * (X - MEAN) for i in range(2)]
PARTS = bands(N, n=K)


def keras_model():
    model = keras.Sequential([keras.layers.Input((N,)), keras.layers.Dense(2)])
    model.layers[0].set_weights([WEIGHTS, np.array([1.0, -2.0])])
    return model


@pytest.fixture(scope="module")
def linear():
    return keras_model()


@pytest.fixture(scope="module")
def regression():
    """The same numbers as a scikit-learn model."""
    design = RNG.normal(size=(200, N))
    return LinearRegression().fit(design, design @ WEIGHTS + [1.0, -2.0])


@pytest.fixture(scope="module", params=["keras", "scikit-learn"])
def either(request, linear, regression):
    return linear if request.param == "keras" else regression


@pytest.fixture(scope="module")
def cnn():
    return CNNRegressor("cui_fearn", epochs=3, random_state=0, verbose=0).fit(X, X @ WEIGHTS[:, 0])


# Completeness


@pytest.mark.parametrize("target", [0, 1])
def test_exact_contributions_are_complete(either, target):
    """The network rounds to 24 bits; its sums are of 48 terms of up to 40, so 1e-4 is far above the rounding."""
    assert np.abs(completeness_error(either, X, EXACT[target], target)).max() < 1e-4
    other = X[3]
    assert np.abs(completeness_error(either, X, WEIGHTS[:, target] * (X - other), target, baseline=other)).max() < 1e-4


def test_what_is_added_to_an_attribution_is_the_completeness_error(either):
    extra = RNG.normal(size=X.shape)
    assert np.allclose(completeness_error(either, X, EXACT[0] + extra), extra.sum(axis=1), atol=1e-4)


@pytest.mark.slow
def test_the_baseline_is_the_mean_of_the_training_spectra(cnn):
    few = X[:4]
    expected = cnn.predict(few) - cnn.predict(cnn.mean_spectrum_[None])
    assert np.allclose(completeness_error(cnn, few, np.zeros_like(few)), -expected, rtol=1e-4, atol=1e-4)


# Deletion and insertion


@pytest.mark.parametrize("target", [0, 1])
def test_curves_of_a_linear_model_are_sums_of_sorted_contributions(either, target):
    result = faithfulness(either, X, EXACT[target], target, bands=K)
    each = PARTS.sums(EXACT[target])
    each = -np.sort(-np.sign(each.sum(axis=1, keepdims=True)) * each, axis=1)
    expected = np.concatenate([[0], each.cumsum(axis=1).mean(axis=0)])
    for test in ("deletion", "insertion"):
        assert np.allclose(result.curves.loc[test, "attribution"], expected, atol=1e-4)
    assert np.isclose(result.summary.loc["deletion", "to explain"], np.abs(each.sum(axis=1)).mean(), rtol=1e-5)
    area = (expected[1:] + expected[:-1]).mean() / 2
    assert np.isclose(result.summary.loc["deletion", "area"], area, rtol=1e-5)


def test_no_order_of_bands_is_better_than_the_exact_one(linear):
    """All 24 orders of four bands, every sample by itself."""
    best = faithfulness(linear, X, EXACT[0], bands=4).samples["deletion", "attribution"].to_numpy()
    sign = np.sign((X - MEAN) @ WEIGHTS[:, 0])[:, None]
    parts = bands(N, n=4)
    for order in itertools.permutations(range(4)):
        scores = sign * np.argsort(order)[None]  # any order, as an attribution
        area = faithfulness(linear, X, parts.spread(scores), bands=4).samples["deletion", "attribution"]
        assert (area <= best + 1e-4).all()


def test_the_reversed_order_is_as_much_worse_as_the_order_is_better(linear):
    """Deleting in the reversed order leaves what the order inserts: their areas add up to all of it."""
    result, reversed_ = (faithfulness(linear, X, sign * EXACT[0], bands=K).samples for sign in (1, -1))
    explained = np.abs((X - MEAN) @ WEIGHTS[:, 0])
    assert np.allclose(result["deletion", "attribution"] + reversed_["insertion", "attribution"], explained, atol=1e-4)
    assert (reversed_["deletion", "attribution"] <= result["deletion", "attribution"] + 1e-4).all()


def test_random_orders_give_straight_lines(linear):
    """Standard error of 400 draws of 15 samples; five of them are allowed."""
    result = faithfulness(linear, X, EXACT[0], bands=K, n_random=400)
    line = result.curves.loc["deletion", "random"].to_numpy()
    spread = PARTS.sums(EXACT[0]).std(axis=1).mean() * np.sqrt(K) / np.sqrt(400)
    assert np.allclose(line, np.linspace(0, line[-1], K + 1), atol=5 * spread)


def test_a_random_attribution_gains_nothing(linear):
    gains = [
        faithfulness(linear, X, np.random.default_rng(i).normal(size=X.shape), bands=K).summary.loc["deletion"]
        for i in range(40)
    ]
    gains = pd.DataFrame(gains)
    assert abs(gains["gain"].mean()) < 4 * gains["gain"].std() / np.sqrt(40)
    assert 0.3 < gains["win rate"].mean() < 0.7
    outside = ((gains["low"] > 0) | (gains["high"] < 0)).mean()
    assert outside <= 0.2, "an interval of 95 % excludes zero for 1 in 20; 9 or more of 40 have a chance of 1e-4"


def test_controls_need_no_attribution(linear):
    a, b = faithfulness(linear, X, EXACT[0], bands=K).summary, faithfulness(linear, X, -EXACT[0], bands=K).summary
    for control in ("peak height", "distance", "to explain"):
        assert np.allclose(a[control], b[control])
    heights = np.stack([X[:, f : e + 1].max(axis=1) for f, e in zip(PARTS.first, PARTS.last)], axis=1)
    by_hand = faithfulness(linear, X, PARTS.spread(heights), bands=K, signed=False)
    positive = (heights > 0).all(axis=1)  # there the order by magnitude is the order by height
    columns = ("deletion", "attribution"), ("deletion", "peak height")
    assert np.allclose(*(by_hand.samples.loc[positive, column] for column in columns), atol=1e-4)


def test_unsigned_attributions_are_ordered_by_magnitude(linear):
    size = RNG.permuted(np.tile(np.arange(1.0, K + 1), (len(X), 1)), axis=1)
    signs = RNG.choice([-1, 1], size.shape)
    a, b = (faithfulness(linear, X, PARTS.spread(m), bands=K, signed=False).samples for m in (size, signs * size))
    assert np.allclose(a["deletion", "attribution"], b["deletion", "attribution"])


def test_same_seed_same_numbers_other_seed_other_random_orders(linear):
    runs = [faithfulness(linear, X, EXACT[0], bands=K, random_state=seed).summary for seed in (0, 0, 1)]
    pd.testing.assert_frame_equal(runs[0], runs[1])
    assert runs[0].loc["deletion", "random"] != runs[2].loc["deletion", "random"]
    assert np.isclose(runs[0].loc["deletion", "area"], runs[2].loc["deletion", "area"])


def test_ties_are_broken_at_random_not_from_the_left(linear):
    """A constant attribution is a random order: over seeds its area scatters about that of random orders."""
    flat = [faithfulness(linear, X, 0 * X, bands=K, random_state=seed).summary.loc["deletion"] for seed in range(30)]
    flat = pd.DataFrame(flat)
    assert flat["area"].std() > 0 and abs(flat["gain"].mean()) < 4 * flat["gain"].std() / np.sqrt(30)


@pytest.mark.parametrize("fill", ["mean", "interpolate", "zero"])
def test_every_fill_ends_where_all_is_deleted(linear, fill):
    summary = faithfulness(linear, X, EXACT[0], bands=K, fill=fill).summary
    last = np.zeros_like(X) if fill == "zero" else np.tile(MEAN, (len(X), 1))
    assert np.isclose(summary.loc["deletion", "to explain"], np.abs((X - last) @ WEIGHTS[:, 0]).mean(), rtol=1e-5)


def test_batches_do_not_matter(linear):
    """3 samples and 300: the latter are cut into pieces."""
    many = np.tile(X, (20, 1))
    a = faithfulness(linear, X, EXACT[0], bands=40, n_random=2, baseline=MEAN).samples["deletion", "attribution"]
    b = faithfulness(linear, many, np.tile(EXACT[0], (20, 1)), bands=40, n_random=2, baseline=MEAN).samples
    assert np.allclose(b["deletion", "attribution"].to_numpy().reshape(20, -1), a.to_numpy(), atol=1e-4)


def test_one_sample_and_one_band(linear):
    one = faithfulness(linear, X[:1], EXACT[0][:1], bands=K, baseline=MEAN).summary
    assert one[["low", "high"]].isna().all(axis=None) and one.drop(columns=["low", "high"]).notna().all(axis=None)
    whole = faithfulness(linear, X, EXACT[0], bands=1).summary
    assert np.allclose(whole["gain"], 0, atol=1e-6)


def test_a_spectrum_like_the_baseline_has_nothing_to_explain(linear):
    result = faithfulness(linear, MEAN[None], RNG.normal(size=(1, N)), baseline=MEAN, bands=K)
    assert (result.curves == 0).all(axis=None)


def test_bands_that_leave_channels_out(linear):
    """Channels in no band stay as they are: the curves end at the contributions of the bands."""
    parts = bands(N, edges=[(5, 10), (20, 40)])
    result = faithfulness(linear, X, EXACT[0], bands=parts).summary
    assert np.isclose(result.loc["deletion", "to explain"], np.abs(parts.sums(EXACT[0]).sum(axis=1)).mean(), rtol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        dict(attributions=EXACT[0][:3]),
        dict(attributions=EXACT[0][:, :5]),
        dict(attributions=np.full_like(X, np.nan)),
        dict(X=np.full_like(X, np.inf)),
        dict(X=X[:, :20], attributions=EXACT[0][:, :20]),
        dict(bands=N + 1),
        dict(bands=0),
        dict(bands=bands(20, n=4)),
        dict(fill="one"),
        dict(baseline=MEAN[:5]),
        dict(baseline=np.full(N, np.nan)),
        dict(target=2),
        dict(n_random=0),
    ],
)
def test_bad_requests_to_faithfulness(linear, wrong):
    with pytest.raises(ValueError):
        faithfulness(linear, **dict(X=X, attributions=EXACT[0]) | wrong)


@pytest.mark.parametrize("wrong", [dict(attributions=EXACT[0][:3]), dict(baseline=[1.0]), dict(target=5)])
def test_bad_requests_to_completeness_error(linear, wrong):
    with pytest.raises(ValueError):
        completeness_error(linear, **dict(X=X, attributions=EXACT[0]) | wrong)


# Sanity checks


def test_shuffled_weights_give_other_gradients_and_come_back(either, linear):
    """The gradient of a linear model is its weights: shuffled, they have nothing to do with themselves. The standard
    deviation of a rank correlation over 48 single channels is 0.15, of the mean of 30 draws 0.03."""
    before = linear.get_weights()
    result = weight_check(either, X, "gradient", bands=N, n_draws=30)
    assert abs(result["correlation"]) < 0.12 and not result["rejected"]
    assert result["lowest"] < result["correlation"] < result["highest"]
    assert all(np.array_equal(a, b) for a, b in zip(before, linear.get_weights()))


def test_weights_come_back_after_an_error(linear):
    before, calls = linear.get_weights(), []

    def fails_the_second_time(model, X, target):
        calls.append(1)
        if len(calls) > 1:
            raise RuntimeError
        return X

    with pytest.raises(RuntimeError):
        weight_check(linear, X, fails_the_second_time)
    assert all(np.array_equal(a, b) for a, b in zip(before, linear.get_weights()))


def test_an_attribution_that_ignores_the_model_is_rejected(either):
    result = weight_check(either, X, lambda model, X, target: np.abs(X - MEAN))
    assert result["rejected"] and np.isclose(result["correlation"], 1)


def test_weights_of_a_pipeline_are_shuffled_preprocessing_stays(regression):
    pipeline = make_pipeline(SNV(), regression).fit(X, X @ WEIGHTS)
    before = pipeline.predict(X)

    def predictions(model, X, target):
        return np.outer(model.predict(X)[:, target], np.ones(N)) * np.arange(N)

    weight_check(pipeline, X, predictions)
    assert np.array_equal(pipeline.predict(X), before)


def test_scatter_correction_is_no_weight():
    model = keras.Sequential([keras.layers.Input((N,)), ScatterCorrection(0).adapt(X), keras_model()])
    seen = []
    weight_check(model, X, lambda model, X, target: seen.append(model.layers[0].get_weights()) or X, n_draws=2)
    assert len(seen) == 3
    for later in seen[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(seen[0], later))


def test_a_model_without_weights_is_refused():
    with pytest.raises(ValueError, match="no weights"):
        weight_check(SNV().fit(X), X, lambda model, X, target: X)


def test_shuffled_target(regression):
    """A shuffled target gives other coefficients; an attribution that ignores the model does not change."""
    rng = np.random.default_rng(1)
    design = rng.normal(size=(500, N))
    model = LinearRegression().fit(design, design @ WEIGHTS[:, 0])
    coefficients = target_check(
        model,
        design,
        design @ WEIGHTS[:, 0],
        X,
        lambda m, X, target: np.tile(m.coef_, (len(X), 1)),
        bands=N,
        n_draws=20,
    )
    assert abs(coefficients["correlation"]) < 0.15 and not coefficients["rejected"]
    ignores = target_check(model, design, design @ WEIGHTS[:, 0], X, lambda m, X, target: X, n_draws=1)
    assert ignores["rejected"]
    with pytest.raises(ValueError, match="fitted estimator"):
        target_check(keras_model(), X, X[:, 0], X)


def test_gradients_of_a_linear_model_do_not_feel_noise(linear):
    result = noise_check(linear, X, "gradient", noise=0.1)
    assert result["correlation"] > 0.999 and result["change"] < 1e-6


def test_contributions_of_a_linear_model_change_with_the_noise(linear):
    """w (x - b) changes by w e, whose relative length is known for a method with a fixed baseline."""

    def exact(model, X, target):
        return WEIGHTS[:, target] * (X - MEAN)

    small, large = (noise_check(linear, X, exact, noise=noise, n_draws=50) for noise in (0.01, 0.1))
    expected = 0.1 * np.linalg.norm(WEIGHTS[:, 0]) * np.mean(1 / np.linalg.norm(EXACT[0], axis=1))
    assert np.isclose(large["change"], expected, rtol=0.05), "50 draws of 48 channels: the mean length is known to 1 %"
    assert np.isclose(large["change"] / small["change"], 10, rtol=1e-6)
    assert large["sensitivity"] > large["change"] and large["correlation"] < small["correlation"]
    assert noise_check(linear, X, exact, noise=0.0)["correlation"] == pytest.approx(1)


def test_noise_of_spectra_is_estimated():
    t = np.linspace(0, 9, 2000)
    noisy = np.sin(t) + 0.02 * RNG.normal(size=(5, 2000))
    found = noise_check(LinearRegression().fit(noisy, np.arange(5.0)), noisy, lambda m, X, target: X, n_draws=1)
    assert np.isclose(found["noise"], 0.02, rtol=0.05)
    with pytest.raises(ValueError, match="give noise="):
        noise_check(None, X[:, :2], lambda m, X, target: X, bands=2)


def test_agreement_by_hand():
    a = np.array([[1.0, 2, 3, 4], [4, 3, 2, 1]])
    b = np.array([[1.0, 2, 4, 3], [4, 3, 2, 1]])
    table = agreement({"a": a, "b": b, "-a": -a}, bands=4)
    assert np.isclose(table.loc["a", "b"], (0.8 + 1) / 2) and np.isclose(table.loc["a", "-a"], 1)
    assert np.isclose(agreement({"a": a, "-a": -a}, bands=4, signed=True).loc["a", "-a"], -1)
    assert (table == table.T).all(axis=None) and (np.diag(table) == 1).all()


@pytest.mark.parametrize("attributions", [{}, {"a": X}, {"a": X, "b": X[:3]}, {"a": X, "b": X + np.nan}])
def test_bad_requests_to_agreement(attributions):
    with pytest.raises(ValueError):
        agreement(attributions)


@pytest.mark.parametrize("check", [weight_check, noise_check])
@pytest.mark.parametrize(
    "wrong",
    [
        dict(method="saliency"),
        dict(n_draws=0),
        dict(bands=N + 1),
        dict(target=7),
        dict(method=lambda m, X, t: X[:, :3]),
    ],
)
def test_bad_requests_to_the_checks(linear, check, wrong):
    with pytest.raises(ValueError):
        check(linear, X, **wrong)


# The table


def test_table_of_a_linear_model(either):
    """Integrated gradients, occlusion by the mean and Shapley values are the same for a linear model, and the best."""

    def at_random(model, X, target):
        return np.random.default_rng(3).normal(size=X.shape)

    methods = ["gradient", "integrated_gradients", "occlusion", "shapley"]
    methods = {name: name for name in methods} | {"random": at_random}
    mask = np.arange(N) < 10
    table = evaluate_explanations(
        either, X, methods, bands=K, fill="mean", n_draws=2, mask=mask, noise=0.01, options={"shapley": {"samples": 8}}
    )
    same = table.loc[["integrated_gradients", "occlusion", "shapley"]]
    assert list(table.index) == list(methods)
    assert (same["completeness error"] < 1e-4).all() and table.loc["random", "completeness error"] > 0.1
    assert np.isnan(table.loc["gradient", "completeness error"])
    for test in ("deletion", "insertion"):
        assert np.ptp(same[test]) < 1e-4 and (same[test] > table.loc["random", test]).all()
        assert (table[f"{test} low"] <= table[test]).all() and (table[test] <= table[f"{test} high"]).all()
    assert table.loc["random", "rejected"] and np.isclose(table.loc["random", "random weights"], 1)
    assert (same["agreement"] > table.loc["random", "agreement"]).all()
    found = localization(np.abs(EXACT[0]), mask).mean()
    for score in ("attribution_mass", "rank", "auc"):
        assert np.isclose(table.loc["integrated_gradients", score], found[score], atol=1e-5)
    assert (table["seconds"] >= 0).all()


@pytest.mark.slow
def test_table_through_an_estimator(cnn):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)  # Keras's own, under torch
        table = evaluate_explanations(cnn, X[:5], ["gradient", "integrated_gradients"], bands=K, n_draws=0, n_random=2)
    assert "noise" not in table and "attribution_mass" not in table and len(table) == 2
    assert table.loc["integrated_gradients", "completeness error"] < 0.05
    one = faithfulness(cnn, X[:5], attribute(cnn, X[:5]), bands=K, n_random=2).summary.loc["deletion"]
    assert np.isclose(table.loc["integrated_gradients", "deletion"], one["gain"] / one["to explain"], rtol=1e-5)


def test_table_is_reproducible(linear):
    tables = [
        evaluate_explanations(linear, X, ["gradient", "integrated_gradients"], bands=K, n_draws=1).drop(
            columns="seconds"
        )
        for _ in range(2)
    ]
    pd.testing.assert_frame_equal(*tables)


@pytest.mark.parametrize(
    "wrong", [dict(methods=[]), dict(methods=["saliency"]), dict(mask=np.ones(3, bool)), dict(fill="one")]
)
def test_bad_requests_to_the_table(linear, wrong):
    with pytest.raises(ValueError):
        evaluate_explanations(linear, X, **dict(methods=["gradient"]) | wrong)
