"""Fine-tuning with a few samples: the update written out, what may change, and clear errors."""

import warnings

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.networks import CNNRegressor, load_model
from deep_chemometrics.networks import fine_tuning as module
from deep_chemometrics.networks.backend import keras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 30)).cumsum(axis=1)
Y = X[:, 20] - X[:, 10]
OTHER = X + np.linspace(0.5, 1, 30)  # the same samples on another instrument


def two_layers(n_channels, n_targets, seed):
    """A convolution, whose weights only layers="all" may change, and a dense layer."""
    start = [keras.initializers.GlorotUniform(seed + i) for i in range(2)]
    return keras.Sequential(
        [
            keras.Input((n_channels,)),
            keras.layers.Reshape((n_channels, 1)),
            keras.layers.Conv1D(2, 5, kernel_initializer=start[0]),
            keras.layers.Flatten(),
            keras.layers.Dense(n_targets, kernel_initializer=start[1]),
        ]
    )


def trained(y=Y, **settings):
    settings = dict(epochs=3, learning_rate=0.01, random_state=0, verbose=0) | settings
    return CNNRegressor(two_layers, **settings).fit(X[:40], y[:40])


def closed():
    return CNNRegressor(verbose=0).fit(X[:40], Y[:40])


@pytest.fixture(scope="module")
def in_closed_form():
    return closed()


def rmse(model):
    return np.sqrt(np.mean((model.predict(OTHER[40:]) - Y[40:]) ** 2))


@pytest.mark.parametrize("n_scans", [1, 3])
def test_errors_of_samples_left_out_are_those_of_refits(n_scans):
    features = RNG.normal(size=(12, 5))
    errors = RNG.normal(size=12)
    groups = np.arange(12) // n_scans
    ridge = module._Ridge(features)
    found = ridge.left_out(errors, groups)
    for candidate in (0, 1, 4, 9):
        for group in np.unique(groups):
            out = groups == group
            expected = errors[out]
            if candidate == 1:
                expected = errors[out] - errors[~out].mean()
            if candidate > 1:
                again = Ridge(ridge.penalties[candidate - 2]).fit(features[~out], errors[~out])
                expected = errors[out] - again.predict(features[out])
            np.testing.assert_allclose(found[candidate, out], expected, atol=1e-10)


def test_change_of_the_output_is_ridge_regression():
    features = RNG.normal(size=(12, 5))
    errors = RNG.normal(size=12)
    ridge = module._Ridge(features)
    weights, offset = ridge.change(errors, 8)
    expected = Ridge(ridge.penalties[6]).fit(features, errors)
    np.testing.assert_allclose(weights, expected.coef_)
    np.testing.assert_allclose(offset, expected.intercept_)


@pytest.mark.parametrize("make", [closed, trained])
def test_output_follows_the_other_instrument(make, tmp_path):
    model = make()
    before = rmse(model)
    assert model.fine_tune(OTHER[:15], Y[:15]) is model
    assert rmse(model) < before
    done = model.fine_tuning_
    assert done["n_samples"] == 15 and done["rmse_left_out"][0] < done["rmse_before"][0]
    again = load_model(model.save(tmp_path / "tuned.keras", leave_out=["architecture"] if make is trained else []))
    assert np.array_equal(again.predict(X), model.predict(X))
    assert again.fine_tuning_ == done
    again = make()
    assert not hasattr(again, "fine_tuning_")


def test_two_targets_and_two_members():
    y = np.column_stack([Y, 5 - 2 * Y])
    for model in (
        CNNRegressor(verbose=0).fit(X[:40], y[:40]),
        trained(y, n_members=2),
    ):
        before = np.abs(model.predict(OTHER[40:]) - y[40:]).mean(axis=0)
        model.fine_tune(OTHER[:20], y[:20])
        after = np.abs(model.predict(OTHER[40:]) - y[40:]).mean(axis=0)
        assert (after < before).all()
        assert len(model.fine_tuning_["chosen"]) == 2


def test_only_the_named_layers_change():
    states = {}
    for layers in ("dense", "all"):
        model = trained()
        network = model.model_.get_layer(index=-2)
        flags = [part.trainable for part in network.layers]
        before = network.get_weights()
        model.fine_tune(OTHER[:15], Y[:15], layers, epochs=5, learning_rate=0.01)
        assert model.fine_tuning_["chosen"][0] > 0
        states[layers] = [not np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True)]
        assert [part.trainable for part in network.layers] == flags
    # kernel and offset of the convolution, then of the dense layer
    assert states["dense"] == [False, False, True, True]
    assert all(states["all"])
    again = trained().fine_tune(OTHER[:15], Y[:15], "all", epochs=5, learning_rate=0.01)
    assert np.array_equal(again.predict(X), model.predict(X))


def test_scans_of_a_sample_are_left_out_together():
    """Random errors that all scans of a sample share: weights that follow them help no other sample."""
    model = closed()
    rows = np.repeat(np.arange(8), 6)
    spectra = X[rows] + 0.01 * RNG.normal(size=(48, 30))
    content = (model.predict(X[:8]) + RNG.normal(size=8))[rows]
    spread = np.std(content - model.predict(spectra))
    model.fine_tune(spectra, content, groups=rows)
    assert model.fine_tuning_["n_samples"] == 8
    assert model.fine_tuning_["rmse_left_out"][0] > 0.7 * spread


@pytest.mark.parametrize("layers", ["output", "all"])
def test_samples_of_one_content_correct_the_offset(layers):
    model = trained()
    before = model.predict(X)
    with pytest.warns(SpectrumWarning, match="only the offset is corrected"):
        model.fine_tune(X[:6], np.full(6, 30.0), layers)
    np.testing.assert_allclose(np.ptp(model.predict(X) - before), 0, atol=1e-4)
    assert model.fine_tuning_["chosen"] == ["offset"]


def test_samples_that_fit_change_nothing():
    model = closed()
    before = model.predict(X)
    model.fine_tune(X[:10], before[:10])
    np.testing.assert_allclose(model.predict(X), before, atol=1e-4)


def test_equal_spectra_correct_the_offset():
    model = closed()
    before = model.predict(X)
    model.fine_tune(np.tile(X[0], (4, 1)), before[0] + np.array([3.0, 4, 4, 5]))
    assert np.isfinite(model.predict(X)).all()
    np.testing.assert_allclose(model.predict(X), before + 4, atol=1e-3)


def test_interrupted_tuning_leaves_the_network_as_it_was(monkeypatch):
    model = trained()
    before = model.predict(X)

    def stop(self, *args):
        self.model.set_weights([w + 1 for w in self.model.get_weights()])
        raise KeyboardInterrupt

    monkeypatch.setattr(module._Start, "train", stop)
    with pytest.raises(KeyboardInterrupt):
        model.fine_tune(OTHER[:15], Y[:15], "all")
    assert np.array_equal(model.predict(X), before)


def with_nan():
    spectra = OTHER[:10].copy()
    spectra[3, 4] = np.nan
    return spectra


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((OTHER[:1], Y[:1]), "n_samples=1 is too few.*at least 3"),
        ((OTHER[:6], Y[:6], "output", [0, 0, 0, 1, 1, 1]), "n_samples=2 is too few"),
        ((OTHER[:6, :20], Y[:6]), "20 features.*30 features"),
        ((with_nan(), Y[:10]), "NaN.*row 3"),
        ((OTHER[:6], np.r_[Y[:5], np.nan]), "NaN"),
        ((OTHER[:6], Y[:5]), "5"),
        ((OTHER[:6], np.column_stack([Y[:6]] * 2)), "2 targets, but the network predicts 1"),
        ((OTHER[:6], Y[:6], "first"), "layers='first' is unknown"),
        ((OTHER[:6], Y[:6], "dense"), "closed form: take layers='output'"),
        ((OTHER[:6], Y[:6], "output", [0, 1]), "groups has shape"),
        ((OTHER[:6], Y[:6], "output", None, 0), "epochs=0"),
        ((OTHER[:6], Y[:6], "output", None, 5, -1.0), "learning_rate=-1.0"),
    ],
)
def test_bad_input(arguments, message, in_closed_form):
    before = in_closed_form.predict(X)
    with warnings.catch_warnings(), pytest.raises(ValueError, match=message):
        warnings.simplefilter("ignore")
        in_closed_form.fine_tune(*arguments)
    assert np.array_equal(in_closed_form.predict(X), before)


def test_before_fit():
    with pytest.raises(NotFittedError):
        CNNRegressor().fine_tune(X[:5], Y[:5])


def test_a_network_without_linear_dense_output_names_the_way_out():
    def ends_in_relu(n_channels, n_targets, seed):
        return keras.Sequential([keras.Input((n_channels,)), keras.layers.Dense(n_targets, "relu")])

    model = CNNRegressor(ends_in_relu, epochs=1, verbose=0).fit(X[:40], Y[:40])
    with pytest.raises(ValueError, match="take layers='all'"):
        model.fine_tune(OTHER[:15], Y[:15])
