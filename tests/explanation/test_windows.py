"""Windows, weight maps and frequency responses; receptive fields of all architectures by perturbation."""

from functools import partial, wraps

import numpy as np
import pytest
from scipy.signal import freqz, savgol_coeffs

from deep_chemometrics.explanation import (
    dense_weight_map,
    frequency_response,
    kernel_activations,
    receptive_field,
    top_windows,
)
from deep_chemometrics.explanation.activations import CONVOLUTIONS
from deep_chemometrics.networks import (
    CNNRegressor,
    ScatterCorrection,
    bjerrum,
    cui_fearn,
    deep_spectra,
    fganet,
    resnet1d,
)
from deep_chemometrics.networks.backend import keras

layers = keras.layers
N = 50
RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, N))
ARCHITECTURES = {
    "bjerrum": bjerrum,
    "cui_fearn": partial(cui_fearn, kernel_start="he_normal"),  # not the identity, which sees one channel
    "deep_spectra": deep_spectra,
    "fganet": fganet,
    "resnet1d": partial(resnet1d, filters=(4, 4)),
}

QUICK_FIRST = ["fganet", *(pytest.param(n, marks=pytest.mark.slow) for n in ARCHITECTURES if n != "fganet")]


def chain(*parts, shape=(N,)):
    return keras.Sequential([layers.Input(shape), *parts])


def differs(after, before):
    """Where activations differ by more than rounding: torch adds up a batch of another size in another order."""
    return np.abs(after - before) > 1e-5 * np.abs(before).max()


# Receptive fields of all architectures


def positional_layers(model):
    pooling = (layers.MaxPooling1D, layers.AveragePooling1D)
    return [layer for layer in model.layers if isinstance(layer, (*CONVOLUTIONS, *pooling))]


@pytest.mark.parametrize("name", QUICK_FIRST)
def test_no_unit_notices_what_is_outside_its_field_and_some_what_is_at_its_ends(name):
    """Strided, pooled, padded: every channel changed in turn. A maximum or a relu may not notice a change of one
    spectrum, so the ends are looked for in several spectra, and at most units."""
    model = ARCHITECTURES[name](N, seed=0)
    base = 3 * RNG.normal(size=(4, 1, N))
    changed = base + 5 * np.eye(N)
    for layer in positional_layers(model):
        field = receptive_field(model, layer)
        before = kernel_activations(model, base[:, 0], layer)[:, None]
        after = kernel_activations(model, changed.reshape(-1, N), layer, batch_size=4 * N)
        noticed = differs(after.reshape(4, N, *after.shape[1:]), before).any(axis=(0, 3))  # (channel, unit)
        channel = np.arange(N)[:, None]
        covered = (field.first <= channel) & (channel <= field.last)
        assert not (noticed & ~covered).any(), layer.name
        ends = [noticed[np.clip(end, 0, N - 1), np.arange(len(end))] for end in (field.first, field.last)]
        assert min(np.mean(end[field.inside]) if field.inside.any() else 1 for end in ends) > 0.6, layer.name


@pytest.mark.parametrize("name", QUICK_FIRST)
def test_centres_are_where_a_band_moves_the_activation(name):
    """Independent of the arithmetic: over random spectra, the mean place of the channels that a unit in the middle
    notices, weighted by nothing, is the centre; half the distance between channels may be lost at each end."""
    model = ARCHITECTURES[name](N, seed=1)
    axis = 500 + 4.0 * np.arange(N)
    base = 3 * RNG.normal(size=(12, 1, N))
    changed = (base + 5 * np.eye(N)).reshape(-1, N)
    for layer in positional_layers(model):
        field = receptive_field(model, layer, axis)
        unit = len(field.centre) // 2
        before = kernel_activations(model, base[:, 0], layer)[:, None, unit]
        after = kernel_activations(model, changed, layer, batch_size=12 * N)[:, unit].reshape(12, N, -1)
        seen = axis[differs(after, before).any(axis=(0, 2))]
        if field.inside[unit]:
            assert abs((seen[0] + seen[-1]) / 2 - field.centre[unit]) <= 4.0, layer.name


# Windows


def shaped(weights):
    model = chain(layers.Reshape((N, 1)), layers.Conv1D(weights.shape[1], len(weights), use_bias=False, padding="same"))
    model.layers[-1].set_weights([weights[:, None, :]])
    return model


@pytest.mark.parametrize("batch_size", [1, 7, 100])
def test_windows_against_a_loop(batch_size):
    weights, axis = RNG.normal(size=(5, 3)), 600 + 2.0 * np.arange(N)
    top = top_windows(shaped(weights), X, n=4, axis=axis, batch_size=batch_size)
    for k in range(3):
        activations = np.array([np.correlate(x, weights[:, k], "valid") for x in X])  # windows inside only
        order = np.argsort(-activations.max(axis=1))[:4]
        place = activations[order].argmax(axis=1)
        assert top.sample[k].tolist() == order.tolist()
        assert np.allclose(top.activation[k], activations.max(axis=1)[order], atol=1e-5)
        assert np.allclose(top.windows[k], [X[i, j : j + 5] for i, j in zip(order, place)])
        assert np.allclose(top.centre[k], axis[place + 2])
    assert top.offset.tolist() == [-2, -1, 0, 1, 2]
    assert np.allclose(top.average, (top.windows - top.windows.mean(axis=2, keepdims=True)).mean(axis=1))


@pytest.mark.slow
def test_windows_of_a_deeper_layer_and_of_an_estimator():
    y = X[:, 20]
    cnn = CNNRegressor("fganet", scatter_correction="msc", epochs=1, random_state=0, verbose=0).fit(X, y)
    top = top_windows(cnn, X, layer=3, n=1000)
    assert top.windows.shape == (8, 30, 14) and top.offset[0] == -6.5
    assert (np.sort(top.sample, axis=1) == np.arange(30)).all(), "one window a spectrum"
    assert top.centre.min() >= 6.5 and top.centre.max() <= N - 1 - 6.5


def test_windows_that_cannot_be():
    model = shaped(np.ones((N + 2, 1)))
    with pytest.raises(ValueError, match="sees padding"):
        top_windows(model, X)
    model = shaped(np.ones((3, 1)))
    for wrong, message in ((dict(n=0), "n=0"), (dict(layer=4), "is not in the model"), (dict(axis=X[0]), "axis")):
        with pytest.raises(ValueError, match=message):
            top_windows(model, X, **wrong)
    with pytest.raises(ValueError, match="49 channels, but 50"):
        top_windows(model, X[:, 1:])


# Weight maps


def test_the_map_of_fganet_is_on_the_right_axis():
    model, axis = fganet(850, 17, seed=0), np.linspace(500, 3900, 850)
    found = dense_weight_map(model, axis=axis)
    assert found.weights.shape == (17, 8, 209)
    assert np.allclose(found.centre, 500 + (4 * np.arange(209) + 7.5) * 3400 / 849), "530 + 16.02 i"
    last_pooling = [layer for layer in model.layers if isinstance(layer, layers.MaxPooling1D)][-1]
    assert np.allclose(found.centre, receptive_field(model, last_pooling, axis).centre)
    kernel = model.layers[-1].get_weights()[0]
    assert np.array_equal(found.weights[5, 3], kernel[3::8, 5])


@pytest.mark.parametrize("name", [name for name in QUICK_FIRST if "resnet1d" not in str(name)])
def test_the_map_times_what_arrives_is_what_the_layer_computes(name):
    model = ARCHITECTURES[name](N, seed=0)
    dense = next(layer for layer in model.layers if isinstance(layer, layers.Dense))
    found = dense_weight_map(model)
    seen = {}
    call = dense.call

    @wraps(call)
    def noting(x, *args, **kwargs):
        seen["in"] = keras.ops.convert_to_numpy(x)
        return call(x, *args, **kwargs)

    object.__setattr__(dense, "call", noting)
    model(X.astype("float32"), training=False)
    del dense.__dict__["call"]
    _, n_kernels, n_positions = found.weights.shape
    arriving = seen["in"].reshape(len(X), n_positions, n_kernels)
    by_map = np.einsum("spk,okp->so", arriving, found.weights)
    assert np.allclose(by_map, seen["in"] @ dense.get_weights()[0], atol=1e-4)
    assert (np.diff(found.centre) > 0).all() and len(found.centre) == n_positions


@pytest.mark.slow
def test_maps_inside_estimators_and_by_name():
    cnn = CNNRegressor("cui_fearn", scatter_correction=2, epochs=1, random_state=0, verbose=0).fit(X, X[:, 20])
    found = dense_weight_map(cnn)
    assert found.weights.shape == (36, 1, N) and np.array_equal(found.centre, np.arange(N))
    model = chain(
        ScatterCorrection(0).adapt(X), layers.Reshape((N, 1)), layers.Conv1D(2, 3), layers.Flatten(),
        layers.Dropout(0.5), layers.Dense(3, name="read"), layers.Dense(1, name="later"),
    )  # fmt: skip
    assert dense_weight_map(model, "read").weights.shape == (3, 2, N - 2)
    for wrong in ("later", "none"):
        with pytest.raises(ValueError, match="'read'"):
            dense_weight_map(model, wrong)


def test_maps_that_cannot_be():
    with pytest.raises(ValueError, match="no such dense layer"):
        dense_weight_map(chain(layers.Dense(3)))
    mixed = chain(layers.Dense(N), layers.Reshape((N, 1)), layers.Conv1D(2, 3), layers.Flatten(), layers.Dense(1))
    with pytest.raises(ValueError, match="cannot follow"):
        dense_weight_map(mixed)
    with pytest.raises(ValueError, match="axis"):
        dense_weight_map(fganet(N), axis=np.arange(N - 1))


# Frequency responses


@pytest.mark.parametrize("deriv", [0, 1, 2])
def test_frequency_response_against_scipy(deriv):
    kernel = savgol_coeffs(11, 3, deriv=deriv, use="dot")
    frequency, passed = frequency_response(kernel, spacing=2.5, n=50)
    assert np.allclose(passed[:, 0], np.abs(freqz(kernel, worN=2 * np.pi * 2.5 * frequency)[1]), atol=1e-12)
    assert frequency[0] == 0 and frequency[-1] == pytest.approx(0.2)
    assert passed[0, 0] == pytest.approx(float(deriv == 0), abs=1e-12)


def test_frequency_response_by_filtering_a_wave():
    kernels = RNG.normal(size=(7, 1, 4))
    frequency, passed = frequency_response(kernels, n=9)
    wave = np.exp(2j * np.pi * frequency[3] * np.arange(100))
    for k in range(4):
        assert np.allclose(np.abs(np.convolve(wave, kernels[::-1, 0, k], "valid")), passed[3, k])


@pytest.mark.parametrize("wrong", [np.ones((3, 2, 4)), np.ones((0, 3)), 1.0, [1.0, np.nan]])
def test_kernels_that_are_none(wrong):
    with pytest.raises(ValueError):
        frequency_response(wrong)
    with pytest.raises(ValueError, match="spacing"):
        frequency_response(np.ones(3), spacing=0)
