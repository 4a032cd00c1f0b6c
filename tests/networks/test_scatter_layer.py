"""The layers: equal to the transformers, complete in a saved file and in a clone, differentiable."""

import pickle
import warnings

import numpy as np
import pytest
from conftest import gradient_of, numbers

from deep_chemometrics.augmentation import RandomScatter
from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.networks import ScatterCorrection
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.preprocessing import EMSC

# Absorbances near 6 in float32 have a rounding of 2.4e-7; the polynomials of the fit amplify it some times. Promised is
# 1e-5; half of it is required, since processors and backends add up in different orders (measured: up to 1.4e-6).
SINGLE = 5e-6


def model_of(*layers, n_channels=597, form=()):
    x = inputs = keras.Input((n_channels, *form))
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


# -- Scatter correction ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [2, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, 1, 3, 4))])
def test_layer_is_the_transformer(order, train, tablets):
    layer, transformer = ScatterCorrection(order).adapt(train), EMSC(order).fit(train)
    expected = transformer.transform(tablets)
    assert np.abs(numbers(layer(tablets)) - expected).max() < SINGLE
    for size in (-1, 1e-6, 1e3):  # whatever the gain
        assert np.abs(numbers(layer(size * tablets[:99])) - expected[:99]).max() < SINGLE
    sequences = numbers(layer(tablets[:7, :, None]))
    assert sequences.shape == (7, 597, 1) and np.array_equal(sequences[..., 0], numbers(layer(tablets[:7])))


@pytest.mark.slow
def test_reference_of_ones_own(train, tablets):
    expected = EMSC(2, reference=tablets[700]).fit(train).transform(tablets)
    for layer in (ScatterCorrection(2).adapt(train, tablets[700]), ScatterCorrection(2, reference=tablets[700])):
        assert np.abs(numbers(layer(tablets)) - expected).max() < SINGLE


@pytest.mark.slow
def test_adapted_to_either_form_and_again(train, tablets):
    layer = ScatterCorrection(1).adapt(train[:, :, None])
    expected = numbers(ScatterCorrection(1).adapt(train)(tablets[:9]))
    assert np.array_equal(numbers(layer(tablets[:9])), expected)
    layer.adapt(tablets[642:])
    other = EMSC(1).fit(tablets[642:]).transform(tablets[:9])
    assert np.abs(numbers(layer(tablets[:9])) - other).max() < SINGLE < np.abs(expected - other).max()


def test_training_changes_no_weight(train):
    layer = ScatterCorrection(2).adapt(train)
    assert layer.trainable_weights == [] and len(layer.weights) == 5


@pytest.mark.parametrize("form", [(), pytest.param((1,), marks=pytest.mark.slow)], ids=["rows", "sequences"])
@pytest.mark.parametrize(
    "how", ["file", "clone", *(pytest.param(how, marks=pytest.mark.slow) for how in ("weights", "pickle", "config"))]
)
def test_copies_are_complete(how, form, train, tablets, tmp_path):
    model = model_of(RandomScatter(seed=0).adapt(train), ScatterCorrection(2).adapt(train), form=form)
    if how == "file":
        model.save(tmp_path / "model.keras")
        copy = keras.saving.load_model(tmp_path / "model.keras")  # safe mode, no custom_objects
    elif how == "weights":
        model.save_weights(tmp_path / "model.weights.h5")
        copy = model_of(RandomScatter(seed=0), ScatterCorrection(2).adapt(tablets[642:]), form=form)
        copy.load_weights(tmp_path / "model.weights.h5")
    elif how == "clone":
        copy = keras.models.clone_model(model)
    elif how == "pickle":
        copy = pickle.loads(pickle.dumps(model))
    else:
        copy = keras.Model.from_config(model.get_config())
    x = tablets[::100].reshape(-1, 597, *form).astype("float32")
    assert np.array_equal(copy.predict(x, verbose=0), model.predict(x, verbose=0))
    assert np.array_equal(numbers(copy.layers[1].scale), numbers(model.layers[1].scale))
    assert not np.allclose(model.predict(x, verbose=0), x), "the test needs a correction that does something"


@pytest.mark.slow
def test_layer_that_has_learnt_nothing_yet_stays_so_in_a_clone(train):
    clone = keras.models.clone_model(model_of(ScatterCorrection(2)))
    with pytest.raises(ValueError, match="call adapt"):
        clone.predict(train, verbose=0)
    clone.layers[-1].adapt(train)
    expected = EMSC(2).fit_transform(train)
    assert np.abs(numbers(clone.layers[-1](train)) - expected).max() < SINGLE


def test_files_of_the_first_version_are_read(train, tablets):
    """They hold the mean of the reference where the reference itself stands now; the configuration has it whole."""
    layer = ScatterCorrection(2).adapt(train)
    names = ("gain_row", "shape_size", "baseline_rows", "polynomials")
    stored = {str(i): numbers(layer.numbers[name]) for i, name in enumerate(names, 1)} | {"0": np.float32(train.mean())}
    copy = ScatterCorrection.from_config(layer.get_config())
    copy.build((None, 597))
    copy.load_own_variables(stored)
    assert np.array_equal(numbers(copy(tablets[:9])), numbers(layer(tablets[:9])))
    for other in (ScatterCorrection(2).adapt(tablets[642:]), ScatterCorrection(2)):
        other.build((None, 597)) if not other.built else None
        with pytest.raises(ValueError, match="saved by version"):
            other.load_own_variables(stored)


@pytest.mark.parametrize("value", [0.0, 2.0, 0.1, -3.3, 1e4])
@pytest.mark.parametrize("order", [0, 2])
def test_constant_spectrum_becomes_zero(value, order, train):
    layer = ScatterCorrection(order).adapt(train)
    found = numbers(layer(np.stack([np.full(597, value), train[0]]).astype("float32")))
    assert np.abs(found[0]).max() <= 10 * SINGLE * max(1, abs(value) / 6)
    assert np.abs(found[1] - EMSC(order).fit(train).transform(train[:1])[0]).max() < SINGLE


@pytest.mark.parametrize("order", [0, 2])
def test_reference_without_variation(order, train):
    with pytest.warns(SpectrumWarning, match="no variation beyond the baseline") as caught:
        layer = ScatterCorrection(order).adapt(train, np.full(597, 3.0))
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SpectrumWarning)
        expected = EMSC(order, np.full(597, 3.0)).fit(train).transform(train)
    assert np.abs(numbers(layer(train)) - expected).max() < 2 * SINGLE


@pytest.mark.parametrize(("n", "p"), [(1, 597), (5, 1), (5, 2), (1, 1)])
def test_few_samples_and_channels(n, p, train):
    X = train[:n, 597 - p :]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # a division by zero; Keras on torch has deprecations of its own
        warnings.simplefilter("ignore", SpectrumWarning)
        found = numbers(ScatterCorrection(2).adapt(X)(X))
    assert found.shape == (n, p) and np.isfinite(found).all()


@pytest.mark.slow
@pytest.mark.parametrize("order", [0, 2])
def test_gradient(order, train):
    layer = ScatterCorrection(order).adapt(train)
    weight = np.random.default_rng(0).normal(size=597).astype("float32")

    def value(x):
        return keras.ops.sum(layer(x) * keras.ops.convert_to_tensor(weight))

    constant = np.stack([np.full(597, v) for v in (0.0, 2.0, float(train.mean()))]).astype("float32")
    assert np.isfinite(gradient_of(value, constant)).all()
    # elsewhere it is the slope of the transformer, by central differences in float64
    emsc, x, step = EMSC(order).fit(train), train[3], 1e-4
    gradient = gradient_of(value, x[None].astype("float32"))[0]
    for channel in (0, 100, 400):
        moved = np.stack([x, x])
        moved[:, channel] += [step, -step]
        up, down = emsc.transform(moved) @ weight
        assert np.isclose(gradient[channel], (up - down) / (2 * step), rtol=2e-3, atol=2e-3)


# -- Random scatter -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [(), pytest.param((1,), marks=pytest.mark.slow)], ids=["rows", "sequences"])
def test_inactive_in_prediction(form, train):
    x = train[:4].reshape(4, 597, *form).astype("float32")
    layer = RandomScatter(1, 1, 1, seed=0).adapt(train)
    assert np.array_equal(layer(x), x) and np.array_equal(layer(x, training=False), x)
    assert np.array_equal(model_of(layer, form=form).predict(x, verbose=0), x)
    disturbed = numbers(layer(x, training=True))
    assert disturbed.shape == x.shape and np.abs(disturbed - x).max() > 0.1


def test_same_seed_same_series(train):
    x = train[:4].astype("float32")
    one, two, other = (RandomScatter(seed=seed).adapt(train) for seed in (3, 3, 4))
    series = [numbers(one(x, training=True)) for _ in range(3)]
    assert all(np.array_equal(drawn, two(x, training=True)) for drawn in series)
    assert not np.array_equal(series[0], series[1]) and not np.array_equal(series[0], other(x, training=True))
    assert not np.array_equal(*(RandomScatter()(x, training=True) for _ in "12"))


@pytest.mark.slow
def test_strengths_are_multiples_of_the_scale(train):
    x = np.zeros((3000, 11), "float32")
    layer = RandomScatter(offset=0.3, slope=0.2, gain=0, scale=5.0, seed=0)
    drawn = numbers(layer(x, training=True)).astype("float64")
    offset, slope = drawn.mean(axis=1), drawn[:, -1] - drawn[:, 0]
    assert 0.99 * 1.5 < np.abs(offset).max() <= 1.5 + 1e-5 and 0.99 < np.abs(slope).max() <= 1 + 1e-5
    assert abs(np.corrcoef(offset, slope)[0, 1]) < 5 / np.sqrt(3000)
    gain = numbers(RandomScatter(0, 0, 0.4, seed=0)(x + 1, training=True))
    assert np.ptp(gain, axis=1).max() == 0 and 1.39 < gain.max() <= 1.4 + 1e-6 and 0.6 - 1e-6 <= gain.min() < 0.61
    assert np.isclose(float(RandomScatter().adapt(train).scale), train.std(), rtol=1e-6)


def test_scale_is_not_the_batchs(train):
    layer = RandomScatter(gain=0, seed=0, scale=1.0)
    small = numbers(layer(1e-6 * train[:50].astype("float32"), training=True))
    assert np.abs(small).max() > 0.05


@pytest.mark.slow
def test_gradient_of_random_scatter_is_the_gain(train):
    def value(x):  # a layer anew each time, for the same draws
        return keras.ops.sum(RandomScatter(gain=0.3, seed=0)(x, training=True))

    gradient = gradient_of(value, train[:5].astype("float32"))
    assert np.ptp(gradient, axis=1).max() == 0 and (np.abs(gradient - 1) <= 0.3).all() and np.ptp(gradient) > 0


@pytest.mark.slow
def test_half_precision_stays_half(train):
    layer = RandomScatter(seed=0, dtype="mixed_float16").adapt(train)
    assert numbers(layer(train[:5].astype("float32"), training=True)).dtype == np.float16


def test_disturbed_and_corrected_is_corrected(train):
    scatter, correction = RandomScatter(seed=0).adapt(train), ScatterCorrection(1).adapt(train)
    x = train[:30].astype("float32")
    assert np.abs(numbers(correction(scatter(x, training=True))) - numbers(correction(x))).max() < 2 * SINGLE


# -- Bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RandomScatter(offset=-0.1), r"offset=-0\.1"),
        (lambda: RandomScatter(slope=np.nan), "slope=nan"),
        (lambda: RandomScatter(gain="large"), "gain='large'"),
        (lambda: RandomScatter(scale=np.inf), "scale=inf"),
        (lambda: ScatterCorrection(-1), "order=-1"),
        (lambda: ScatterCorrection(1.5), r"order=1\.5"),
        (lambda: ScatterCorrection("emsc"), "order='emsc'"),
    ],
)
def test_wrong_parameters(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("layer", [RandomScatter, ScatterCorrection])
@pytest.mark.parametrize("form", [(), (1,)], ids=["rows", "sequences"])
def test_not_training_spectra(layer, form, train):
    for bad, kind in ((np.nan, "NaN"), (np.inf, "infinity")):
        X = train[:9].reshape(9, 597, *form).copy()
        X[4, 30] = X[6, 2] = bad
        with pytest.raises(ValueError, match=f"{kind}: first at row 4, channel 30; 2 of 9 rows"):
            layer().adapt(X)


@pytest.mark.parametrize("layer", [RandomScatter, ScatterCorrection])
@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.ones(5), "Reshape your data"),
        (np.ones((0, 5)), "0 sample"),
        (np.ones((2, 0)), "0 feature"),
        (np.ones((2, 5, 2)), "a batch of spectra has shape"),
        (np.ones((2, 5, 1, 1)), "dim 4"),
        ([["a", "b"]], "could not convert"),
    ],
    ids=str,
)
def test_wrong_shapes_to_learn_from(layer, X, words):
    with pytest.raises(ValueError, match=words):
        layer().adapt(X)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (np.ones(596), "reference has 596 channels, but 597 are expected"),
        (np.ones((2, 597)), r"reference has shape \(2, 597\)"),
        (np.full(597, np.nan), "reference contains NaN"),
    ],
    ids=["length", "shape", "NaN"],
)
def test_wrong_references(reference, words, train):
    with pytest.raises(ValueError, match=words):
        ScatterCorrection().adapt(train, reference)
    with pytest.raises(ValueError, match=words):
        ScatterCorrection(reference=reference)(train)


def test_wrong_batches(train):
    layer = ScatterCorrection().adapt(train)
    for wrong in (
        train[:, 1:],
        train[:, 1:, None],
        train[0],
        train[:, :, None].repeat(2, axis=2),
        train[:, :, None, None],
    ):
        with pytest.raises(ValueError, match="channels"):
            layer(wrong)
    with pytest.raises(ValueError, match="600 channels came to a layer for 597"):
        model_of(layer, n_channels=600)
    with pytest.raises(ValueError, match="channels"):
        layer.adapt(train[:, 1:])
    for wrong in (train[0], train[:, :, None].repeat(2, axis=2)):
        with pytest.raises(ValueError, match="a batch of spectra"):
            RandomScatter()(wrong, training=True)


def test_use_before_adapt(train):
    with pytest.raises(ValueError, match=r"call adapt\(X\) with the training spectra first"):
        ScatterCorrection()(train)
