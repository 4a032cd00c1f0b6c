"""The landmark networks: sizes of their papers, seeds, outputs, storage, small and bad input, a step of training."""

import numpy as np
import pytest
from conftest import answers, n_trained, spectra

from deep_chemometrics.explanation import receptive_field
from deep_chemometrics.networks import (
    ARCHITECTURES,
    CNNRegressor,
    architectures,
    bjerrum,
    cui_fearn,
    deep_spectra,
    fganet,
    resnet1d,
)
from deep_chemometrics.networks import bjerrum_network as cnn
from deep_chemometrics.networks.architectures import _inception, _Seeded
from deep_chemometrics.networks.backend import keras


def small_resnet(n_channels, n_targets=1, **options):
    """The same network with few kernels: the tests of what does not depend on their number take a tenth of the time."""
    return resnet1d(n_channels, n_targets, filters=(4, 8, 8), **options)


FOUR = [cui_fearn, deep_spectra, fganet, small_resnet]


# -- The papers' sizes --------------------------------------------------------------------------------------------


def test_cui_fearn_on_wheat_kernels():
    """100 channels, one target: the count of the public re-implementation."""
    model = cui_fearn(100)
    assert model.count_params() == n_trained(model) == 4_549
    assert [layer.units for layer in model.layers if isinstance(layer, keras.layers.Dense)] == [36, 18, 12, 1]


def test_deep_spectra():
    # 40 channels: 14 positions after the first stride, 7 after the second, 16 answers each, which are normalised
    module = 64 + 36 + (36 + 52) + (36 + 84) + 36
    assert n_trained(deep_spectra(40, 2)) == module + 7 * 16 * (2 + 32) + 32 + 2 * 32 + 66


def test_fganet_of_the_source():
    model = fganet(850, 17)
    assert n_trained(model) == 28_845
    assert model.layers[-1].get_weights()[0].shape == (209 * 8, 17)
    assert model.layers[-1].activation is keras.activations.sigmoid
    shapes = [layer.output.shape[1:] for layer in model.layers if isinstance(layer, keras.layers.Conv1D)]
    assert shapes == [(848, 4), (846, 4), (421, 8), (419, 8)]


def test_resnet1d_whatever_the_number_of_channels():
    # Wang's 11 convolutions, each with a bias, and 12 batch normalisations, with two classes
    for p in (10, 40):
        model = resnet1d(p, 2, activation="softmax")
        assert n_trained(model) == 504_258 and model.count_params() == 504_258 + 2 * (4 * 64 + 8 * 128)


@pytest.mark.parametrize(
    "build, width, positions",
    [(cui_fearn, 5, 40), (deep_spectra, 7 + 3 * 4, 7), (fganet, 16, 7), (small_resnet, 1 + 3 * (7 + 4 + 2), 40)],
)
def test_receptive_field_of_the_last_layer_with_positions(build, width, positions):
    model = build(40, 2)
    layer = [layer for layer in model.layers if len(layer.output.shape) == 3][-1]
    field = receptive_field(model, layer)
    assert (field.last - field.first + 1 == width).all() and field.first.size == positions


def test_fganet_sees_measured_points_only_and_sixteen_at_the_end():
    model = fganet(850, 17)
    field = receptive_field(model, model.layers[-4])  # the last pooling
    assert field.first.size == 209 and field.inside.all() and (field.last - field.first == 15).all()


# -- What all must do ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", FOUR)
@pytest.mark.parametrize("activation", ["linear", "sigmoid", "softmax"])
def test_outputs(build, activation):
    values = answers(build(40, 3, activation=activation, seed=0), 5 * spectra())
    assert values.shape == (6, 3) and values.dtype == np.float32 and np.isfinite(values).all()
    within = ((values >= 0) & (values <= 1)).all()  # a sigmoid of 20 is 1 in float32
    sums_to_one = np.allclose(values.sum(axis=1), 1, atol=1e-6)
    assert (within, sums_to_one) == {"linear": (False, False), "sigmoid": (True, False), "softmax": (True, True)}[
        activation
    ]


@pytest.mark.parametrize("build", FOUR)
def test_seeds(build):
    one, again, other = (build(40, 2, seed=s).get_weights() for s in (3, 3, 4))
    assert all(map(np.array_equal, one, again))
    assert not np.array_equal(one[-2], other[-2])


def test_without_a_seed_every_network_is_another():
    assert not np.array_equal(*(cui_fearn(40).get_weights()[-2] for _ in range(2)))


@pytest.mark.parametrize("build", FOUR)
def test_no_two_layers_start_alike(build):
    """A seed used twice would give layers of the same shape the same weights."""
    kernels = [w for w in build(40, 3, seed=0).get_weights() if w.ndim > 1]
    for i, one in enumerate(kernels):
        for other in kernels[i + 1 :]:
            assert one.shape != other.shape or not np.array_equal(one, other)


def test_the_program_keeps_its_random_state():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for build in FOUR:
        build(40, 2, seed=0)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("build", FOUR)
def test_saved_and_loaded_in_safe_mode(build, tmp_path):
    model = build(40, 2, seed=0)
    model.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras", safe_mode=True)
    assert np.array_equal(answers(loaded, spectra()), answers(model, spectra()))
    assert len(loaded.losses) == len(model.losses), "the penalties are saved, too"


@pytest.mark.parametrize("build", FOUR)
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


@pytest.mark.parametrize("build, minimum", [(cui_fearn, 1), (deep_spectra, 1), (fganet, 16), (small_resnet, 1)])
def test_fewest_channels(build, minimum):
    assert np.isfinite(answers(build(minimum, 2, seed=0), spectra(2, minimum))).all()
    with pytest.raises(ValueError, match=f"n_channels={minimum - 1} .*at least {minimum}"):
        build(minimum - 1, 2)


@pytest.mark.parametrize("p", range(19, 25))
def test_branches_of_the_inception_agree_for_any_number_of_channels(p):
    x = keras.Input((p, 8))
    joined = _inception(x, _Seeded(0), 4, (3, 5), stride=2)
    assert joined.shape == (None, -(-p // 2), 16)


# -- Options ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 4, 5])
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


def test_options_change_the_networks():
    # one more branch: 4 kernels of width 1 and 4 of width 7, and 4 answers more at each of 7 positions
    wider = n_trained(deep_spectra(40, 2, inception_widths=(3, 5, 7)))
    assert wider - n_trained(deep_spectra(40, 2)) == 36 + 116 + 7 * 4 * (2 + 32)
    assert n_trained(cui_fearn(40, 2, dense=())) == 6 + 82
    flat, average = (n_trained(small_resnet(40, 2, pooling=pooling)) for pooling in ("flatten", "average"))
    assert flat - average == 39 * 8 * 2


def test_average_forgets_where_a_band_is_and_flatten_does_not():
    bands = np.zeros((2, 120), "float32")
    bands[0, 50:53] = bands[1, 70:73] = 1
    one, other = answers(small_resnet(120, 2, seed=0), bands)
    assert np.allclose(one, other, atol=1e-5)  # sums of 120 numbers near 1 in single precision, in another order
    one, other = answers(small_resnet(120, 2, pooling="flatten", seed=0), bands)
    assert np.abs(one - other).max() > 1e-3


# -- Bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", FOUR)
@pytest.mark.parametrize(
    "arguments, options, words",
    [
        ((0,), {}, "n_channels=0"),
        ((40.0,), {}, "n_channels=40.0"),
        ((40, 0), {}, "n_targets=0"),
        ((40, True), {}, "n_targets=True"),
        ((40, 2), {"activation": "relu"}, "activation='relu'.*'linear', 'sigmoid', 'softmax'"),
        ((40, 1), {"activation": "softmax"}, "softmax.*one target always answers 1"),
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


def test_offered_by_the_lesson_module():
    for name in ("cui_fearn", "deep_spectra", "fganet", "resnet1d"):
        assert getattr(cnn, name) is getattr(architectures, name) and name in cnn.__all__


def test_names_that_the_estimator_knows():
    assert list(ARCHITECTURES) == ["bjerrum", "cui_fearn", "deep_spectra", "fganet", "resnet1d", "savgol_net"]
    assert ARCHITECTURES["bjerrum"] is bjerrum
    for name, build in ARCHITECTURES.items():
        model = build(40, 2, seed=0)
        assert model.output_shape == (None, 2) and model.layers[-1].activation is keras.activations.linear, name


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
