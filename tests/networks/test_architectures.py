"""The architectures: published sizes, seeds, outputs, storage, small and bad input, a step of training."""

import numpy as np
import pytest
from conftest import answers, n_trained, spectra
from scipy.signal import savgol_coeffs, savgol_filter

from deep_chemometrics.explanation import receptive_field
from deep_chemometrics.networks import (
    ARCHITECTURES,
    CNNRegressor,
    bjerrum,
    cui_fearn,
    deep_spectra,
    fganet,
    group_net,
    resnet1d,
    savgol_net,
)
from deep_chemometrics.networks.architectures import (
    _inception,
    _savgol_kernels,
    _Seeded,
    _windows,
    architecture,
)
from deep_chemometrics.networks.backend import keras


def small_resnet(n_channels, n_targets=1, **options):
    """The same network with few kernels: the tests of what does not depend on their number take a tenth of the time."""
    return resnet1d(n_channels, n_targets, filters=(4, 8, 8), **options)


def small_bjerrum(n_channels, n_targets=1, **options):
    return bjerrum(n_channels, n_targets, filters=(2, 3), width=5, dense=8, **options)


def small_group_net(n_channels, n_targets=1, **options):
    return group_net(n_channels, n_targets, size=0.2, **options)


def quick(*builds, of):
    """Parameters of a test: all of them, of which the quick tests take only `builds`."""
    return [build if build in builds else pytest.param(build, marks=pytest.mark.slow) for build in of]


# savgol_net starts with a last layer of zeros and has tests of its own
PLAIN = [small_bjerrum, cui_fearn, deep_spectra, fganet, small_resnet, small_group_net]
ALL = [*PLAIN, savgol_net]


# -- The papers' sizes --------------------------------------------------------------------------------------------


def test_cui_fearn_on_wheat_kernels():
    """100 channels, one target: the count of the public re-implementation."""
    model = cui_fearn(100)
    assert model.count_params() == n_trained(model) == 4_549
    assert [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)] == [36, 18, 12, 1]


def test_deep_spectra():
    # 40 channels: 14 positions after the first stride, 7 after the second, 16 outputs each, which are normalised
    module = 64 + 36 + (36 + 52) + (36 + 84) + 36
    assert n_trained(deep_spectra(40, 2)) == module + 7 * 16 * (2 + 32) + 32 + 2 * 32 + 66


def test_fganet_as_published():
    model = fganet(850, 17)
    assert n_trained(model) == 28_845
    assert model.layers[-1].get_weights()[0].shape == (209 * 8, 17)
    assert model.layers[-1].activation is keras.activations.sigmoid
    shapes = [layer.output.shape[1:] for layer in model.layers if isinstance(layer, keras.layers.Conv1D)]
    assert shapes == [(848, 4), (846, 4), (421, 8), (419, 8)]


@pytest.mark.slow
def test_resnet1d_whatever_the_number_of_channels():
    # Wang's 11 convolutions, each with a bias, and 12 batch normalisations, with two classes
    for p in (10, 40):
        model = resnet1d(p, 2, activation="softmax")
        assert n_trained(model) == 504_258 and model.count_params() == 504_258 + 2 * (4 * 64 + 8 * 128)


@pytest.mark.slow
@pytest.mark.parametrize(
    "build, width, positions",
    [(cui_fearn, 5, 40), (deep_spectra, 7 + 3 * 4, 7), (fganet, 16, 7), (small_resnet, 1 + 3 * (7 + 4 + 2), 40)],
)
def test_receptive_field_of_the_last_layer_with_positions(build, width, positions):
    model = build(40, 2)
    layer = [layer for layer in model.layers if len(layer.output.shape) == 3][-1]
    field = receptive_field(model, layer)
    assert (field.last - field.first + 1 == width).all() and field.first.size == positions


@pytest.mark.slow
def test_fganet_sees_measured_points_only_and_sixteen_at_the_end():
    model = fganet(850, 17)
    field = receptive_field(model, model.layers[-4])  # the last pooling
    assert field.first.size == 209 and field.inside.all() and (field.last - field.first == 15).all()


def test_group_net_on_infrared_spectra():
    model = group_net(850)
    convolutions = 16 * 9 + 32 * 16 * 7 + 64 * 32 * 5 + 64 * 64 * 3
    dense = (26 * 64 + 1) * 128 + 129 * 17
    assert n_trained(model) == convolutions + 2 * (16 + 32 + 64 + 64) + dense == 241_921
    assert group_net(850, size=0.125).count_params() == 4_147


def test_group_net_lifts_weak_bands():
    """A band of a twentieth of the highest comes to half of what a very high one has."""
    model = group_net(40, 2)
    bent = next(layer for layer in model.layers if isinstance(layer, keras.layers.Activation))
    lifted = answers(keras.Model(model.input, bent.output), np.array([[0.05] * 40, [1] * 40], "float32"))
    assert np.allclose(lifted[:, 0], [0.5, 20 / 21])


# -- What all must do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", quick(cui_fearn, of=PLAIN))
@pytest.mark.parametrize(
    "activation", ["softmax", *(pytest.param(name, marks=pytest.mark.slow) for name in ("linear", "sigmoid"))]
)
def test_outputs(build, activation):
    values = answers(build(40, 3, activation=activation, seed=0), 5 * spectra())
    assert values.shape == (6, 3) and values.dtype == np.float32 and np.isfinite(values).all()
    within = ((values >= 0) & (values <= 1)).all()  # a sigmoid of 20 is 1 in float32
    sums_to_one = np.allclose(values.sum(axis=1), 1, atol=1e-6)
    assert (within, sums_to_one) == {"linear": (False, False), "sigmoid": (True, False), "softmax": (True, True)}[
        activation
    ]


@pytest.mark.parametrize("build", quick(fganet, of=PLAIN))
def test_seeds(build):
    one, again, other = (build(40, 2, seed=s).get_weights() for s in (3, 3, 4))
    assert all(map(np.array_equal, one, again))
    assert not np.array_equal(one[-2], other[-2])


def test_without_a_seed_every_network_is_another():
    assert not np.array_equal(*(cui_fearn(40).get_weights()[-2] for _ in range(2)))


@pytest.mark.parametrize("build", quick(deep_spectra, of=PLAIN))
def test_no_two_layers_start_alike(build):
    """A seed used twice would give layers of the same shape the same weights."""
    kernels = [w for w in build(40, 3, seed=0).get_weights() if w.ndim > 1]
    for i, one in enumerate(kernels):
        for other in kernels[i + 1 :]:
            assert one.shape != other.shape or not np.array_equal(one, other)


@pytest.mark.slow
def test_the_program_keeps_its_random_state():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for build in PLAIN:
        build(40, 2, seed=0)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("build", quick(cui_fearn, of=PLAIN))
def test_saved_and_loaded_in_safe_mode(build, tmp_path):
    model = build(40, 2, seed=0)
    model.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", safe_mode=True)
    assert np.array_equal(answers(loaded, spectra()), answers(model, spectra()))
    assert len(loaded.losses) == len(model.losses), "the penalties are saved, too"


@pytest.mark.parametrize("build", quick(cui_fearn, of=PLAIN))
def test_nothing_is_compiled_and_training_moves_every_weight(build):
    model = build(40, 2, activation="linear", seed=0)
    assert not model.compiled
    before = [np.array(keras.ops.convert_to_numpy(w)) for w in model.trainable_weights]
    model.compile(keras.optimizers.SGD(1e-2), "mse")  # in one step, the quickest to compile
    model.train_on_batch(spectra(), np.ones((6, 2)))
    after = [keras.ops.convert_to_numpy(w) for w in model.trainable_weights]
    # a bias ahead of a batch normalisation is subtracted again: its gradient is zero up to rounding
    assert all(not np.array_equal(one, other) for one, other in zip(before, after) if one.ndim > 1)
    assert all(np.isfinite(w).all() for w in after)


# -- Small spectra ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "build, minimum",
    [
        (cui_fearn, 1),
        (fganet, 16),
        *(
            pytest.param(build, minimum, marks=pytest.mark.slow)
            for build, minimum in [(small_bjerrum, 1), (deep_spectra, 1), (small_resnet, 1), (small_group_net, 31)]
        ),
    ],
)
def test_fewest_channels(build, minimum):
    assert np.isfinite(answers(build(minimum, 2, seed=0), spectra(2, minimum))).all()
    with pytest.raises(ValueError, match=f"n_channels={minimum - 1} .*at least {minimum}"):
        build(minimum - 1, 2)


@pytest.mark.parametrize("p", [19, *(pytest.param(p, marks=pytest.mark.slow) for p in range(20, 25))])
def test_branches_of_the_inception_agree_for_any_number_of_channels(p):
    x = keras.Input((p, 8))
    joined = _inception(x, _Seeded(0), 4, (3, 5), stride=2)
    assert joined.shape == (None, -(-p // 2), 16)


# -- Options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [4, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 5))])
def test_identity_kernel_passes_positive_spectra_unchanged(width):
    model = cui_fearn(40, width=width)
    X = np.abs(spectra())
    passed = answers(model.layers[2], X[:, :, None])[..., 0]
    assert np.allclose(passed, X, atol=1e-6)  # single precision, values up to 3


def test_kernel_may_start_at_random():
    kernels = [cui_fearn(40, kernel_start="he_normal", seed=s).layers[2].get_weights()[0] for s in (0, 0, 1)]
    assert np.array_equal(kernels[0], kernels[1]) and not np.array_equal(kernels[0], kernels[2])


def test_penalty_is_that_of_the_paper():
    """lambda / 2 times the squares of all weights, biases left out."""
    model = cui_fearn(40, penalty=0.1, seed=0)
    squares = sum((w.astype(float) ** 2).sum() for w in model.get_weights() if w.ndim > 1)
    assert np.isclose(float(sum(model.losses)), 0.1 / 2 * squares, rtol=1e-5)
    assert float(sum(cui_fearn(40, penalty=0).losses)) == 0


@pytest.mark.slow
def test_options_change_the_networks():
    # one more branch: 4 kernels of width 1 and 4 of width 7, and 4 outputs more at each of 7 positions
    wider = n_trained(deep_spectra(40, 2, inception_widths=(3, 5, 7)))
    assert wider - n_trained(deep_spectra(40, 2)) == 36 + 116 + 7 * 4 * (2 + 32)
    assert n_trained(cui_fearn(40, 2, dense=())) == 6 + 82
    flat, average = (n_trained(small_resnet(40, 2, pooling=pooling)) for pooling in ("flatten", "average"))
    assert flat - average == 39 * 8 * 2


@pytest.mark.slow
def test_average_forgets_where_a_band_is_and_flatten_does_not():
    bands = np.zeros((2, 120), "float32")
    bands[0, 50:53] = bands[1, 70:73] = 1
    one, other = answers(small_resnet(120, 2, seed=0), bands)
    assert np.allclose(one, other, atol=1e-5)  # sums of 120 numbers near 1 in single precision, in another order
    one, other = answers(small_resnet(120, 2, pooling="flatten", seed=0), bands)
    assert np.abs(one - other).max() > 1e-3


# -- Bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", PLAIN)
@pytest.mark.parametrize(
    "arguments, options, words",
    [
        ((0,), {}, "n_channels=0"),
        ((40.0,), {}, "n_channels=40.0"),
        ((40, 0), {}, "n_targets=0"),
        ((40, True), {}, "n_targets=True"),
        ((40, 2), {"activation": "relu"}, "activation='relu'.*'linear', 'sigmoid', 'softmax'"),
        ((40, 1), {"activation": "softmax"}, "softmax.*one target always gives 1"),
    ],
)
def test_bad_sizes_and_outputs(build, arguments, options, words):
    with pytest.raises(ValueError, match=words):
        build(*arguments, **options)


@pytest.mark.parametrize(
    "build, wrong, words",
    [
        (cui_fearn, {"width": 0}, "width=0"),
        (cui_fearn, {"dense": (36, 0)}, "dense=0"),
        (cui_fearn, {"penalty": -1}, "penalty=-1"),
        (cui_fearn, {"kernel_start": "derivative"}, "kernel_start='derivative'"),
        (deep_spectra, {"stride": 0}, "stride=0"),
        (deep_spectra, {"width": 1.5}, "width=1.5"),
        (deep_spectra, {"inception_widths": (3, 0)}, "inception_widths=0"),
        (deep_spectra, {"dropout": 1}, "dropout=1 must be below 1"),
        (deep_spectra, {"dropout": -0.1}, "dropout=-0.1"),
        (deep_spectra, {"penalty": float("nan")}, "penalty=nan"),
        (resnet1d, {"filters": (64, 0)}, "filters=0"),
        (resnet1d, {"pooling": "max"}, "pooling='max'"),
    ],
)
def test_bad_options(build, wrong, words):
    with pytest.raises(ValueError, match=words):
        build(40, 1, **wrong)


# -- By name ------------------------------------------------------------------------------------------------------


def test_names_in_the_registry():
    names = ["bjerrum", "cui_fearn", "deep_spectra", "fganet", "resnet1d", "savgol_net", "group_net"]
    assert list(ARCHITECTURES)[: len(names)] == names  # another one comes behind them
    assert ARCHITECTURES["bjerrum"] is bjerrum
    for name, build in ARCHITECTURES.items():
        model = build(40, 2, seed=0)
        assert model.output_shape == (None, 2) and model.layers[-1].activation is keras.activations.linear, name
        assert model.name == name


def test_an_architecture_is_added_by_one_function():
    try:

        @architecture
        def plain(n_channels, n_targets=1, *, seed=None):
            return keras.Sequential([keras.Input((n_channels,)), _Seeded(seed).dense(n_targets)])

        @architecture(activation="linear")
        def curved(n_channels, n_targets=1, *, activation="sigmoid", seed=None):
            return keras.Sequential([keras.Input((n_channels,)), _Seeded(seed).dense(n_targets, activation)])

        assert ARCHITECTURES["plain"] is plain
        assert ARCHITECTURES["curved"](9, 2).layers[-1].activation is keras.activations.linear
        assert curved(9, 2).layers[-1].activation is keras.activations.sigmoid
        model = CNNRegressor("plain", epochs=1, verbose=0).fit(spectra(12, 9), np.arange(12.0))
        assert model.predict(spectra(2, 9)).shape == (2,)
    finally:
        for name in ("plain", "curved"):
            ARCHITECTURES.pop(name, None)


@pytest.mark.parametrize("build", quick(cui_fearn, small_group_net, of=ALL))
def test_seeds_are_below_two_to_the_31(build):
    """So that a saved network opens under every backend."""

    def seeds(config):
        if isinstance(config, dict):
            return [v for k, v in config.items() if k == "seed"] + seeds(list(config.values()))
        if isinstance(config, (list, tuple)):
            return [seed for value in config for seed in seeds(value)]
        return []

    for seed in range(3):
        found = [s for s in seeds(build(40, 2, seed=seed).get_config()) if s is not None]
        assert found and all(0 <= s < 2**31 for s in found)


@pytest.mark.slow
def test_estimator_by_name_reports_errors_without_penalty():
    """A penalty of weights is no error in the units of `y`: the RMSE reported is that of the predictions."""
    rng = np.random.default_rng(0)
    y = rng.uniform(0, 10, 40)
    X = y[:, None] * np.exp(-0.5 * ((np.arange(30) - 15) / 3) ** 2) + rng.normal(0, 0.1, (40, 30))
    model = CNNRegressor("cui_fearn", epochs=3, batch_size=8, verbose=0, random_state=0).fit(X, y)
    state = np.random.RandomState(0)
    state.randint(2**31 - 1, size=3)  # the seeds that fit draws before it splits
    _, held_out = model._split(40, state)
    rmse = np.sqrt(np.mean((model.predict(X[held_out]) - y[held_out]) ** 2))
    assert np.isclose(rmse, model.history_.loc[model.best_epoch_, "val_rmse"], rtol=1e-3)  # float32
    assert sorted(model.history_) == ["learning_rate", "loss", "rmse", "val_loss", "val_rmse"]


def test_estimator_refuses_too_few_channels():
    with pytest.raises(ValueError, match=r"n_channels=5 .*at least 16"):
        CNNRegressor("fganet", epochs=1, verbose=0).fit(spectra(12, 5), np.arange(12.0))


# -- savgol_net ----------------------------------------------------------------------------------------------------


def with_random_output(model, seed=0):
    """The same model with a last layer that is not zero, so that its outputs depend on the input."""
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([np.random.default_rng(seed).normal(size=kernel.shape), bias])
    return model


def test_savgol_number_of_parameters():
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


@pytest.mark.parametrize("stride", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_filters_of_the_untrained_network_are_scipys(stride):
    """The outputs of the layer are scipy's filtered spectra, up to the length of each kernel."""
    X = spectra(3, 120)
    model = savgol_net(120, stride=stride, seed=0)
    filtered = answers(keras.Model(model.input, model.get_layer("filters").output), X)
    for i, (window, order) in {0: (5, 0), 2: (11, 1), 6: (21, 2)}.items():
        length = np.linalg.norm(savgol_coeffs(window, 2, deriv=order))
        expected = savgol_filter(X.astype(float), window, 2, deriv=order)[:, 10:-10:stride] / length
        assert np.allclose(filtered[..., i], expected, atol=1e-5)  # float32, sums of 21 numbers near 1


def test_the_untrained_savgol_network_gives_zero():
    assert not answers(savgol_net(40, 3, seed=0), 5 * spectra()).any()
    assert np.allclose(answers(savgol_net(40, 3, activation="sigmoid", seed=0), spectra()), 0.5)


def test_derivatives_remove_offset_and_slope():
    kernels = _savgol_kernels([5, 9])[:, 0]
    assert np.allclose(kernels[:, 1:].sum(axis=0), 0, atol=1e-6)
    assert np.allclose(np.arange(-4, 5) @ kernels[:, 3:], 0, atol=1e-5)


@pytest.mark.parametrize(
    "activation", ["softmax", *(pytest.param(name, marks=pytest.mark.slow) for name in ("linear", "sigmoid"))]
)
def test_savgol_outputs(activation):
    values = answers(with_random_output(savgol_net(40, 3, activation=activation, seed=0)), 5 * spectra())
    assert values.shape == (6, 3) and values.dtype == np.float32 and np.isfinite(values).all()
    within = ((values >= 0) & (values <= 1)).all()
    sums_to_one = np.allclose(values.sum(axis=1), 1, atol=1e-6)
    assert (within, sums_to_one) == {"linear": (False, False), "sigmoid": (True, False), "softmax": (True, True)}[
        activation
    ]


@pytest.mark.parametrize("start", ["savgol", "random"])
def test_savgol_seeds(start):
    one, again, other = (savgol_net(40, 2, kernel_start=start, seed=s).get_weights() for s in (3, 3, 4))
    assert all(map(np.array_equal, one, again))
    assert not all(map(np.array_equal, one, other))
    assert np.array_equal(one[0], other[0]) == (start == "savgol"), "only a random start has to do with the seed"


@pytest.mark.slow
def test_savgol_saved_and_loaded_in_safe_mode(tmp_path):
    model = with_random_output(savgol_net(40, 2, seed=0))
    model.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", safe_mode=True)
    assert np.array_equal(answers(loaded, spectra()), answers(model, spectra()))


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.parametrize("p", [2, *(pytest.param(p, marks=pytest.mark.slow) for p in (1, 3, 5, 20))])
def test_savgol_few_channels(p):
    assert np.isfinite(answers(with_random_output(savgol_net(p, 2, seed=0)), spectra(2, p))).all()


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


@pytest.mark.slow
def test_savgol_options_change_the_network():
    assert n_trained(savgol_net(597, stride=2)) > n_trained(savgol_net(597))
    assert n_trained(savgol_net(597, linear_path=True)) - n_trained(savgol_net(597)) == 193 * 7
    assert n_trained(savgol_net(597)) - n_trained(savgol_net(597, mixtures=0)) == 64 + 193 * 32
    model = savgol_net(100, kernel_start="random", seed=0)
    assert abs(model.get_layer("filters").get_weights()[0].sum(axis=0)).min() > 1e-3, "no derivatives"


def test_savgol_penalty_counts_all_weights_behind_the_features():
    model = with_random_output(savgol_net(40, penalty=0.1, seed=0))
    squares = sum((w.astype(float) ** 2).sum() for w in model.get_weights()[1:] if w.ndim > 1)
    assert np.isclose(float(sum(model.losses)), 0.1 * squares, rtol=1e-5)
    assert float(sum(savgol_net(40, penalty=0, seed=0).losses)) == 0


@pytest.mark.slow
def test_floor_keeps_the_noise_small():
    """Training scales a feature of large variance to one size and leaves one of small variance as it is."""
    X = spectra(64, 40) * np.where(np.arange(40) < 20, 100, 0.01).astype("float32")
    model = savgol_net(40, windows=(3,), stride=1, floor=0.1, seed=0)
    layer = next(layer for layer in model.layers if "batch" in layer.name)
    inner = keras.Model(model.input, layer.output)
    features = keras.ops.convert_to_numpy(inner(X, training=True)).reshape(64, 38, 3)
    assert np.allclose(features[:, :17].std(axis=0), 1, atol=1e-3)
    assert (features[:, 22:].std(axis=0) < 0.1).all()


@pytest.mark.parametrize(
    "arguments, options, words",
    [
        ((0,), {}, "n_channels=0"),
        ((40.0,), {}, "n_channels=40.0"),
        ((40, 0), {}, "n_targets=0"),
        ((40, 2), {"activation": "relu"}, "activation='relu'"),
        ((40, 1), {"activation": "softmax"}, "softmax.*one target always gives 1"),
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
def test_savgol_bad_input(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        savgol_net(*arguments, **options)
