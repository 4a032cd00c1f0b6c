"""Our own network: its size, its filters at the start, seeds, storage, small and bad input, a step of training."""

import numpy as np
import pytest
from conftest import answers, n_trained, spectra
from scipy.signal import savgol_coeffs, savgol_filter

from deep_chemometrics.networks import savgol_net
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.networks.savgol import _savgol_kernels, _windows


def awake(model, seed=0):
    """The same model with a last layer that does not answer zero, so that its answers depend on the input."""
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([np.random.default_rng(seed).normal(size=kernel.shape), bias])
    return model


# -- Size and start -----------------------------------------------------------------------------------------------


def test_number_of_parameters():
    # 7 filters of 21 channels at 193 positions, scaled; 8 mixtures of them; 32 units, scaled; one target
    model = savgol_net(597)
    assert n_trained(model) == 7 * 21 + 193 * 7 * 2 + (7 * 8 + 8) + (193 * 8 * 32 + 32) + 32 * 2 + (32 + 1) == 52_450
    assert n_trained(savgol_net(600)) < 60_000


def test_kernels_at_the_start_are_scipys():
    kernels = savgol_net(597, seed=0).get_layer("filters").get_weights()[0]
    expected = [(5, 0), (5, 1), (11, 1), (21, 1), (5, 2), (11, 2), (21, 2)]
    assert kernels.shape == (21, 1, len(expected))
    for kernel, (window, order) in zip(kernels[:, 0].T, expected):
        reference = savgol_coeffs(window, 2, deriv=order, use="dot")
        side = (21 - window) // 2
        assert np.allclose(kernel[side : 21 - side], reference / np.linalg.norm(reference), atol=1e-7)
        assert not kernel[:side].any() and not kernel[21 - side :].any()


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_filters_of_the_untrained_network_are_those_of_the_field(stride):
    """The layer's answers are scipy's filtered spectra, up to the length of each kernel."""
    X = spectra(3, 120)
    model = savgol_net(120, stride=stride, seed=0)
    filtered = answers(keras.Model(model.input, model.get_layer("filters").output), X)
    for i, (window, order) in {0: (5, 0), 2: (11, 1), 6: (21, 2)}.items():
        length = np.linalg.norm(savgol_coeffs(window, 2, deriv=order))
        expected = savgol_filter(X.astype(float), window, 2, deriv=order)[:, 10:-10:stride] / length
        assert np.allclose(filtered[..., i], expected, atol=1e-5)  # float32, sums of 21 numbers near 1


def test_the_untrained_network_answers_zero_to_anything():
    assert not answers(savgol_net(40, 3, seed=0), 5 * spectra()).any()
    assert np.allclose(answers(savgol_net(40, 3, activation="sigmoid", seed=0), spectra()), 0.5)


def test_derivatives_are_blind_to_offset_and_slope():
    kernels = _savgol_kernels([5, 9])[:, 0]
    assert np.allclose(kernels[:, 1:].sum(axis=0), 0, atol=1e-6)
    assert np.allclose(np.arange(-4, 5) @ kernels[:, 3:], 0, atol=1e-5)


# -- What all networks must do ------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["linear", "sigmoid", "softmax"])
def test_outputs(activation):
    values = answers(awake(savgol_net(40, 3, activation=activation, seed=0)), 5 * spectra())
    assert values.shape == (6, 3) and values.dtype == np.float32 and np.isfinite(values).all()
    within = ((values >= 0) & (values <= 1)).all()
    sums_to_one = np.allclose(values.sum(axis=1), 1, atol=1e-6)
    assert (within, sums_to_one) == {"linear": (False, False), "sigmoid": (True, False), "softmax": (True, True)}[
        activation
    ]


@pytest.mark.parametrize("start", ["savgol", "random"])
def test_seeds(start):
    one, again, other = (savgol_net(40, 2, kernel_start=start, seed=s).get_weights() for s in (3, 3, 4))
    assert all(map(np.array_equal, one, again))
    assert not all(map(np.array_equal, one, other))
    assert np.array_equal(one[0], other[0]) == (start == "savgol"), "only a random start has to do with the seed"


def test_saved_and_loaded_in_safe_mode(tmp_path):
    model = awake(savgol_net(40, 2, seed=0))
    model.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", safe_mode=True)
    assert np.array_equal(answers(loaded, spectra()), answers(model, spectra()))


def test_two_steps_of_training_move_every_weight():
    """In the first only the last layer moves: it starts at zero, and lets no gradient through."""
    model = savgol_net(40, 2, seed=0)
    assert not model.compiled
    before = model.get_weights()
    model.compile(keras.optimizers.SGD(0.1), "mse")
    X, y = spectra(), np.random.default_rng(1).normal(size=(6, 2))
    for _ in range(2):
        model.train_on_batch(X, y)
    after = model.get_weights()
    # a bias ahead of a batch normalisation is subtracted again: its gradient is zero up to rounding
    assert all(not np.array_equal(one, other) for one, other in zip(before, after) if one.ndim > 1)
    assert all(np.isfinite(w).all() for w in after)


def test_learns_a_linear_relation_quickly():
    rng = np.random.default_rng(0)
    content, other = rng.normal(size=(2, 200, 1))
    bands = [np.exp(-0.5 * ((np.arange(60) - c) / 5) ** 2) for c in (25, 32)]
    X = (content * bands[0] + other * bands[1] + rng.normal(size=(200, 1))).astype("float32")
    model = savgol_net(60, dropout=0.0, seed=0)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    keras.utils.set_random_seed(0)
    model.fit(X[:150], content[:150], epochs=25, batch_size=25, verbose=0)
    error = np.mean((model.predict(X[150:], verbose=0) - content[150:]) ** 2)
    assert error < 0.1, "of a variance of one, in spite of the offsets; the order of the batches differs by backend"


# -- Small spectra and options ------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [1, 2, 3, 5, 20])
def test_few_channels(p):
    assert np.isfinite(answers(awake(savgol_net(p, 2, seed=0)), spectra(2, p))).all()


def test_windows_shrink_where_there_are_few_channels():
    for p, expected in {
        1: [1],
        2: [1],
        3: [3],
        19: [3],
        20: [5],
        50: [5, 11],
        60: [5, 11, 15],
        84: [5, 11, 21],
    }.items():
        assert _windows(p, (5, 11, 21)) == expected, p
    assert _savgol_kernels([1]).ravel().tolist() == [1], "the spectrum itself"


def test_options_change_the_network():
    assert n_trained(savgol_net(597, stride=2)) > n_trained(savgol_net(597))
    assert n_trained(savgol_net(597, linear_path=True)) - n_trained(savgol_net(597)) == 193 * 7
    assert n_trained(savgol_net(597)) - n_trained(savgol_net(597, mixtures=0)) == 64 + 193 * 32
    model = savgol_net(100, kernel_start="random", seed=0)
    assert abs(model.get_layer("filters").get_weights()[0].sum(axis=0)).min() > 1e-3, "no derivatives"


def test_penalty_counts_all_weights_behind_the_features():
    model = awake(savgol_net(40, penalty=0.1, seed=0))
    squares = sum((w.astype(float) ** 2).sum() for w in model.get_weights()[1:] if w.ndim > 1)
    assert np.isclose(float(sum(model.losses)), 0.1 * squares, rtol=1e-5)
    assert float(sum(savgol_net(40, penalty=0, seed=0).losses)) == 0


def test_floor_keeps_the_noise_small():
    """Training scales a feature of large variance to one size and leaves one of small variance as it is."""
    X = spectra(64, 40) * np.where(np.arange(40) < 20, 100, 0.01).astype("float32")
    model = savgol_net(40, windows=(3,), stride=1, floor=0.1, seed=0)
    layer = next(layer for layer in model.layers if "batch" in layer.name)
    inner = keras.Model(model.input, layer.output)
    features = keras.ops.convert_to_numpy(inner(X, training=True)).reshape(64, 38, 3)
    assert np.allclose(features[:, :17].std(axis=0), 1, atol=1e-3)
    assert (features[:, 22:].std(axis=0) < 0.1).all()


# -- Bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, options, words",
    [
        ((0,), {}, "n_channels=0"),
        ((40.0,), {}, "n_channels=40.0"),
        ((40, 0), {}, "n_targets=0"),
        ((40, 2), {"activation": "relu"}, "activation='relu'"),
        ((40, 1), {"activation": "softmax"}, "softmax.*one target always answers 1"),
        ((40,), {"windows": (5, 10)}, "windows=10 must be odd"),
        ((40,), {"windows": (1,)}, "windows=1"),
        ((40,), {"windows": ()}, "windows is empty"),
        ((40,), {"stride": 0}, "stride=0"),
        ((40,), {"mixtures": -1}, "mixtures=-1"),
        ((40,), {"dense": 1.5}, "dense=1.5"),
        ((40,), {"dropout": 1}, "dropout=1 must be below 1"),
        ((40,), {"dropout": -0.1}, "dropout=-0.1"),
        ((40,), {"kernel_start": "haar"}, "kernel_start='haar'"),
        ((40,), {"floor": 0}, "floor=0"),
        ((40,), {"penalty": -1}, "penalty=-1"),
    ],
)
def test_bad_input(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        savgol_net(*arguments, **options)
