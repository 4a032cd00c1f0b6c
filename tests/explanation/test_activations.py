"""Kernel activations and receptive fields: nesting, padding, strides, branches, and input that does not fit."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from deep_chemometrics.augmentation import RandomScatter
from deep_chemometrics.explanation import kernel_activations, most_active_kernels, receptive_field
from deep_chemometrics.networks import CNNRegressor, ScatterCorrection, savgol_net
from deep_chemometrics.networks.backend import keras

layers = keras.layers
N = 48
X = np.random.default_rng(0).normal(size=(7, N))
PLACEMENTS = [
    dict(padding=padding, strides=strides, dilation_rate=dilation)
    for padding in ("valid", "same", "causal")
    for strides in (1, 2, 3)
    for dilation in (1, 2)
    if strides == 1 or dilation == 1
]


def slow(*values):
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def chain(*parts, shape=(N, 1)):
    return keras.Sequential([layers.Input(shape), *parts])


def units_that_notice(model, layer, n_channels=N):
    """(n_channels, n_positions): does a unit change when one channel does?"""
    flat = np.zeros((n_channels, n_channels))
    needles = kernel_activations(model, flat + np.eye(n_channels), layer)
    return (needles != kernel_activations(model, flat, layer)).any(axis=2)


# Activations


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("width", [4, *slow(1, 5)])
def test_activations_equal_the_sum_over_the_receptive_field(width, placement):
    """The definition, written as a loop over units: padding counts as zero."""
    model = chain(layers.Conv1D(3, width, **placement))
    kernel, bias = (np.asarray(w, dtype=np.float64) for w in model.get_weights())
    field = receptive_field(model)
    expected = np.zeros((len(X), len(field.first), 3))
    for unit, first in enumerate(field.first):
        for tap in range(width):
            channel = first + tap * placement["dilation_rate"]
            if 0 <= channel < N:
                expected[:, unit] += X[:, [channel]] * kernel[tap, 0]
    assert np.allclose(kernel_activations(model, X), expected + bias, atol=1e-5)


def test_batches_make_no_difference():
    model = chain(layers.Conv1D(4, 5))
    whole = kernel_activations(model, X)
    for batch_size in (1, 3, 7):
        assert np.allclose(kernel_activations(model, X, batch_size=batch_size), whole, atol=1e-6)


def test_first_convolution_in_the_order_of_computation_however_nested():
    inner = chain(layers.Reshape((N, 1)), layers.Conv1D(2, 3, name="a"), layers.Conv1D(5, 3, name="b"), shape=(N,))
    inputs = keras.Input((N,))
    model = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(chain(inner, shape=(N,))(inputs * 2.0))))
    assert kernel_activations(model, X).shape[2] == 2
    assert kernel_activations(model, X, 1).shape[2] == kernel_activations(model, X, "b").shape[2] == 5
    assert np.array_equal(kernel_activations(model, X, inner.get_layer("b")), kernel_activations(model, X, 1))
    assert np.allclose(kernel_activations(model, X), kernel_activations(inner, 2 * X), atol=1e-5)


def test_noise_dropout_and_augmentation_take_no_part():
    model = chain(
        RandomScatter(), layers.GaussianNoise(1.0), layers.Dropout(0.9), layers.Reshape((N, 1)), layers.Conv1D(2, 3),
        shape=(N,),
    )  # fmt: skip
    bare = chain(model.layers[-1])
    assert np.array_equal(kernel_activations(model, X), kernel_activations(bare, X))


def test_any_layer_with_positions_can_be_named():
    model = chain(layers.Conv1D(2, 3), layers.Activation("relu", name="after"), layers.Flatten(name="flat"))
    assert np.array_equal(kernel_activations(model, X, "after"), np.maximum(kernel_activations(model, X), 0))
    with pytest.raises(ValueError, match="'flat' gives"):
        kernel_activations(model, X, "flat")


def test_subclassed_layers_are_listened_into():
    @keras.saving.register_keras_serializable(package="tests")
    class Block(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.conv = layers.Conv1D(3, 3, padding="same")

        def call(self, x):
            return keras.ops.tanh(self.conv(x)) + x

    block = Block()
    model = chain(block, layers.Conv1D(2, 3, name="later"))
    assert kernel_activations(model, X).shape == (7, N, 3)
    assert np.array_equal(receptive_field(model).centre, np.arange(N))
    with pytest.raises(ValueError, match="cannot follow"):
        receptive_field(model, "later")  # what `call` does between the layers cannot be seen


def test_the_model_is_left_as_it_was():
    model = chain(layers.Conv1D(2, 3, name="one"))
    kernel_activations(model, X)
    with pytest.raises(ValueError):
        kernel_activations(model, X, "two")
    assert "call" not in model.get_layer("one").__dict__
    assert model(X[..., None]).shape == (7, N - 2, 2)


@pytest.mark.parametrize("kind", [np.float32, pd.DataFrame, lambda a: a.tolist(), lambda a: (10 * a).astype(int)])
def test_kinds_of_input(kind):
    model, given = chain(layers.Conv1D(2, 3)), kind(X)
    assert np.allclose(kernel_activations(model, given), kernel_activations(model, np.array(given, dtype=float)))
    assert kernel_activations(model, given[:1]).shape == (1, N - 2, 2)


def test_constant_spectra_with_scatter_correction_give_finite_answers():
    model = chain(ScatterCorrection(2).adapt(X), layers.Reshape((N, 1)), layers.Conv1D(2, 3), shape=(N,))
    assert np.isfinite(kernel_activations(model, np.full((2, N), 3.0))).all()


@pytest.mark.parametrize("function", [kernel_activations, lambda model, X, layer=None: receptive_field(model, layer)])
def test_layers_that_are_not_there(function):
    model = chain(layers.Conv1D(2, 3, name="first"), layers.Conv1D(2, 3, name="second"))
    for layer in ("third", 2, -1, layers.Conv1D(2, 3, name="stranger"), 1.5):
        with pytest.raises(ValueError, match="'first', 'second'"):
            function(model, X, layer)
    with pytest.raises(ValueError, match="no one-dimensional convolution"):
        function(chain(layers.Dense(3), shape=(N,)), X)


@pytest.mark.parametrize(
    "wrong, message",
    [
        (X[:, 1:], "47 channels, but 48"),
        (X[0], "Reshape your data"),
        (X[:0], "0 sample"),
        (np.where(np.arange(N) == 5, np.nan, X), "NaN: first at row 0, channel 5"),
        (np.where(np.arange(N) == 5, np.inf, X), "infinity"),
        (X * 1e300, "infinite in float32"),
        (X.astype(str).astype(object) + "a", "could not convert"),
    ],
)
def test_spectra_that_do_not_fit(wrong, message):
    with pytest.raises(ValueError, match=message):
        kernel_activations(chain(layers.Conv1D(2, 3)), wrong)


def test_models_that_are_none():
    for wrong in (LinearRegression().fit(X, X[:, 0]), "model", None, layers.Conv1D(2, 3)):
        with pytest.raises(ValueError, match="give a Keras model"):
            kernel_activations(wrong, X)
    with pytest.raises(NotFittedError):
        kernel_activations(CNNRegressor(), X)
    with pytest.raises(ValueError, match="must take spectra"):
        kernel_activations(chain(layers.Conv1D(2, 3), shape=(N, 2)), X)
    with pytest.raises(ValueError, match="batch_size"):
        kernel_activations(chain(layers.Conv1D(2, 3)), X, batch_size=0)


@pytest.mark.slow
def test_a_fitted_estimator_gives_its_own_network():
    rng = np.random.default_rng(0)
    spectra = np.sin(np.linspace(0, 6, N)) + rng.normal(size=(20, N))
    cnn = CNNRegressor("bjerrum", scatter_correction="emsc", epochs=1, random_state=0, verbose=0).fit(
        spectra, spectra[:, 3]
    )
    assert kernel_activations(cnn, spectra).shape == (20, N, 8)
    assert np.array_equal(kernel_activations(cnn, spectra), kernel_activations(cnn.model_, spectra))
    assert np.allclose(receptive_field(cnn).centre, np.arange(N) + 0.5), "32 channels: half a channel off"
    assert np.allclose(receptive_field(cnn, 1).centre, np.arange(N) + 1.0)


# The most active


def test_most_active_kernels_orders_by_spread_along_the_spectrum():
    spread = np.array([0.3, 0.0, 2.0, 1.0])
    activations = 5 - 2 * spread + spread * np.sin(np.linspace(0, 20, 100))[:, None]
    assert most_active_kernels(activations, 4).tolist() == [2, 3, 0, 1]
    assert most_active_kernels(activations[None], 2).tolist() == [2, 3]
    assert most_active_kernels(activations, 9).tolist() == [2, 3, 0, 1], "no more than there are"
    assert most_active_kernels(np.ones((3, 10, 4))).tolist() == [0, 1, 2, 3], "ties in their order"
    levels = np.arange(3.0)[:, None, None] * np.ones((3, 10, 2))  # differs between spectra, not along them
    levels[:, 5, 1] += 1e-3
    assert most_active_kernels(levels, 1).tolist() == [1]


@pytest.mark.parametrize("wrong", [np.ones(5), np.ones((1, 2, 3, 4)), np.ones((0, 3)), np.full((3, 3), np.nan)])
def test_most_active_kernels_refuses(wrong):
    with pytest.raises(ValueError):
        most_active_kernels(wrong)
    with pytest.raises(ValueError, match="n=0"):
        most_active_kernels(np.ones((3, 3)), 0)


# Receptive fields


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("width", [5, *slow(1, 2, 8)])
def test_one_convolution_by_perturbation(width, placement):
    model = chain(layers.Conv1D(2, width, **placement))
    field, channel = receptive_field(model), np.arange(N)[:, None]
    covered = (field.first <= channel) & (channel <= field.last)
    if placement["dilation_rate"] > 1:  # holes between the taps
        covered &= (channel - field.first) % placement["dilation_rate"] == 0
    assert np.array_equal(units_that_notice(model, 0), covered)
    assert np.array_equal(field.centre, (field.first + field.last) / 2)
    assert np.array_equal(field.inside, (field.first >= 0) & (field.last < N))


def test_many_layers_by_perturbation():
    model = chain(
        layers.Conv1D(3, 4, padding="same"),
        layers.BatchNormalization(),
        layers.LeakyReLU(),
        layers.AveragePooling1D(3, strides=2, padding="same"),
        layers.SeparableConv1D(3, 5, strides=2),
        layers.Dense(4),
        layers.DepthwiseConv1D(3, padding="same"),
        layers.SpatialDropout1D(0.5),
        layers.Conv1D(2, 2, name="last"),
    )
    field, channel = receptive_field(model, "last"), np.arange(N)[:, None]
    noticed = units_that_notice(model, "last")
    assert noticed.shape[1] == len(field.centre)
    assert np.array_equal(noticed, (field.first <= channel) & (channel <= field.last))


def test_branches_are_united():
    inputs = keras.Input((N, 1))
    stem = layers.Conv1D(2, 3, padding="same")(inputs)
    broad, narrow = layers.Conv1D(2, 9, padding="same")(stem), layers.Conv1D(2, 2, padding="same", name="narrow")(stem)
    total = layers.Conv1D(2, 1, name="total")(layers.Concatenate()([broad, narrow]) + 1.0)
    model = keras.Model(inputs, total)
    channel = np.arange(N)[:, None]
    for layer in ("narrow", "total"):
        field = receptive_field(model, layer)
        assert np.array_equal(units_that_notice(model, layer), (field.first <= channel) & (channel <= field.last))


@pytest.mark.parametrize(
    "mix",
    [
        layers.Dense(N),
        *slow(
            layers.GRU(3, return_sequences=True),
            layers.Bidirectional(layers.GRU(3, return_sequences=True)),
            layers.TimeDistributed(layers.Dense(2)),
        ),
        layers.UpSampling1D(2),
        layers.Cropping1D(1),
    ],
)
def test_positions_that_cannot_be_followed_are_not_guessed(mix):
    flat = isinstance(mix, layers.Dense)
    parts = [mix, layers.Reshape((N, 1))] if flat else [mix]
    model = chain(*parts, layers.Conv1D(2, 3), shape=(N,) if flat else (N, 1))
    with pytest.raises(ValueError, match="cannot follow"):
        receptive_field(model)
    assert kernel_activations(model, X).shape[0] == 7


def test_axis():
    model = chain(layers.Conv1D(1, 4, padding="same"))
    axis = 400 + np.arange(N) ** 1.5  # not evenly spaced
    field = receptive_field(model, axis=axis)
    assert field.centre[10] == (axis[10] + axis[11]) / 2
    assert field.centre[-1] == pytest.approx(axis[-1] + (axis[-1] - axis[-2]) / 2), "beyond the end: a straight line"
    assert (np.diff(field.centre) > 0).all()
    causal = receptive_field(chain(layers.Conv1D(1, 4, padding="causal")), axis=axis)
    assert causal.centre[0] == pytest.approx(axis[0] - 1.5 * (axis[1] - axis[0]))
    for wrong in (axis[1:], axis[::-1], np.where(axis > 420, np.nan, axis)):
        with pytest.raises(ValueError, match="axis"):
            receptive_field(model, axis=wrong)


def test_a_single_channel():
    model = chain(layers.Conv1D(1, 1), shape=(1, 1))
    assert receptive_field(model).centre.tolist() == [0.0]
    assert kernel_activations(model, [[2.0]]).shape == (1, 1, 1)


def test_scatter_correction_sees_everything_but_keeps_the_positions():
    model = chain(ScatterCorrection(0).adapt(X), layers.Reshape((N, 1)), layers.Conv1D(1, 3), shape=(N,))
    assert np.array_equal(receptive_field(model).centre, np.arange(1, N - 1))


# Our own network, whose filters are named


@pytest.mark.slow
@pytest.mark.parametrize("start", ["savgol", "random"])
@pytest.mark.parametrize("n_channels, width", [(100, 21), (48, 9)])
def test_the_filters_of_savgol_net_see_their_window_and_nothing_else(n_channels, width, start):
    """Every channel changed in turn: all widths share one kernel array, and only the widest fills it."""
    model = savgol_net(n_channels, kernel_start=start, seed=0)
    field, channel = receptive_field(model, "filters"), np.arange(n_channels)[:, None]
    widths = set((field.last - field.first + 1).tolist())
    assert len(widths) == 1 and widths.pop() >= width and field.inside.all()
    inside = (field.first <= channel) & (channel <= field.last)
    assert np.array_equal(units_that_notice(model, "filters", n_channels), inside)
    assert np.array_equal(np.diff(field.centre), np.full(len(field.centre) - 1, 3.0)), "every third channel"
    assert np.array_equal(field.centre, (field.first + field.last) / 2)
    with pytest.raises(ValueError, match="cannot follow"):
        receptive_field(model, 1)  # behind a Flatten: refused, rather than guessed
