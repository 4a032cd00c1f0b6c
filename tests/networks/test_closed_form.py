"""The network in closed form: what numpy computes, ridge regression where all is linear, more where it is not."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone

from deep_chemometrics.calibration import AutoRidge
from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.data import load_meat
from deep_chemometrics.networks import CNNRegressor, load_model
from deep_chemometrics.networks.closed_form import (
    _choose,
    _filters,
    _folds,
    _Kernel,
    _shares,
    _squares,
    closed_form_network,
)

AXIS = np.linspace(0, 1, 60)


def mixtures(n=90, seed=0):
    """Spectra of two overlapping bands with scatter, and their two contents."""
    rng = np.random.default_rng(seed)
    contents = rng.uniform(0, 1, (n, 2))
    bands = np.exp(-((AXIS - np.array([[0.4], [0.55]])) ** 2) / 0.01)
    X = contents @ bands + 0.1 * rng.normal(size=(n, 1)) + 0.002 * rng.normal(size=(n, 60))
    return X + 1, contents


def fit(X, y, **settings):
    return CNNRegressor(verbose=0, **settings).fit(X, y)


def test_settings_without_effect_are_named():
    X, contents = mixtures(30)
    with pytest.warns(SpectrumWarning, match="epochs, schedule have no effect"):
        fit(X, contents[:, 0], epochs=7, schedule="constant")
    with warnings.catch_warnings():
        warnings.simplefilter("error", SpectrumWarning)
        fit(X, contents[:, 0], random_state=1)


def rmse(a, b):
    return np.sqrt(np.mean((a - b) ** 2))


@pytest.mark.parametrize("name", ["none", "SNV", "derivative 1, window 7", "SNV, derivative 2, window 11"])
def test_filters_in_keras_are_those_in_numpy(name):
    from deep_chemometrics.networks.backend import keras

    X = mixtures()[0]
    one = _filters(60)[name].fit(X)
    inputs = keras.Input((60,))
    outputs = keras.Model(inputs, one.layers(inputs)).predict(X, verbose=0)
    np.testing.assert_allclose(outputs, one.transform(X), atol=2e-4)


def test_as_good_as_ridge_where_all_is_linear():
    X, contents = mixtures(160)
    y = contents[:, 0]
    network = fit(X[:90], y[:90])
    linear = AutoRidge().fit(X[:90], y[:90])
    assert rmse(network.predict(X[90:]), y[90:]) < 1.1 * rmse(linear.predict(X[90:]), y[90:])


def test_better_than_ridge_where_it_is_not():
    X, contents = mixtures(250)
    y = contents[:, 0] ** 2 + np.sin(4 * contents[:, 1])
    network = fit(X[:150], y[:150])
    linear = AutoRidge().fit(X[:150], y[:150])
    assert rmse(network.predict(X[150:]), y[150:]) < 0.3 * rmse(linear.predict(X[150:]), y[150:])


@pytest.mark.slow
def test_targets_are_computed_one_by_one():
    X, contents = mixtures(60)
    both = fit(X, contents).predict(X)
    assert both.shape == (60, 2)
    np.testing.assert_allclose(both[:, 0], fit(X, contents[:, 0]).predict(X), rtol=1e-3, atol=1e-3)


def test_history_has_the_error_of_cross_validation():
    X, contents = mixtures(60)
    model = fit(X, 100 * contents[:, 0])
    assert list(model.history_) == ["loss", "val_loss", "rmse", "val_rmse"]
    assert len(model.history_) == model.best_epoch_ == 1
    assert not model.interrupted_
    assert 0.01 < model.history_["val_rmse"].iloc[0] < 3


def test_saved_and_loaded(tmp_path):
    X, contents = mixtures(40)
    model = fit(X, contents[:, 0])
    loaded = load_model(model.save(tmp_path / "model.keras"))
    assert np.array_equal(loaded.predict(X), model.predict(X))
    assert loaded.architecture == "closed_form"


def test_nothing_is_random():
    X, contents = mixtures(40)
    first = fit(X, contents[:, 0], random_state=0)
    assert np.array_equal(clone(first).set_params(random_state=5).fit(X, contents[:, 0]).predict(X), first.predict(X))


def test_scans_of_one_sample_stay_in_one_fold():
    rng = np.random.default_rng(0)
    y = np.repeat(rng.normal(size=20), 3)[:, None]
    X = y + np.arange(5.0) + 1e-3 * rng.normal(size=(60, 5))
    for train, test in _folds(X, y):
        assert not set(y[train, 0]) & set(y[test, 0])


def test_a_sample_measured_in_three_states_stays_in_one_fold():
    """Its spectra are not alike, but every reference value occurs three times."""
    rng = np.random.default_rng(0)
    y = np.tile(rng.normal(size=20), 3)[:, None]
    X = y * np.arange(5.0) + np.repeat(10 * rng.normal(size=(3, 5)), 20, axis=0)
    for train, test in _folds(X, y):
        assert not set(y[train, 0]) & set(y[test, 0])


def test_equal_reference_values_of_other_samples_may_be_apart():
    """Values that are rounded are equal by chance."""
    rng = np.random.default_rng(0)
    y = np.round(4 * rng.normal(size=60))[:, None]
    both_sides = [set(y[train, 0]) & set(y[test, 0]) for train, test in _folds(rng.normal(size=(60, 5)), y)]
    assert all(both_sides)


@pytest.mark.slow
def test_copies_of_samples_do_not_mislead():
    """Each spectrum three times, with a reference value that is noise: nothing can be learnt."""
    rng = np.random.default_rng(0)
    X = np.repeat(mixtures(30)[0], 3, axis=0) + 1e-4 * rng.normal(size=(90, 60))
    y = np.repeat(rng.normal(size=30), 3)
    predicted = fit(X, y).predict(mixtures(200, seed=1)[0])
    assert predicted.std() < 0.5 * y.std()


@pytest.mark.parametrize(
    "settings",
    [{"augmentation": True}, {"scatter_correction": "msc"}, {"n_members": 2}, {"warm_start": True}],
    ids=lambda settings: next(iter(settings)),
)
@pytest.mark.slow
def test_settings_of_training_give_the_network_that_is_trained(settings):
    X, contents = mixtures(20)
    model = fit(X, contents[:, 0], epochs=1, random_state=0, **settings)
    named = fit(X, contents[:, 0], epochs=1, random_state=0, architecture="bjerrum", **settings)
    assert np.array_equal(model.predict(X), named.predict(X))


@pytest.mark.parametrize("n", [10, 13])
def test_few_samples(n):
    X, contents = mixtures(n)
    assert np.isfinite(fit(X, contents).predict(X)).all()


@pytest.mark.parametrize("n_channels", [1, 2, 5])
def test_few_channels(n_channels):
    X, contents = mixtures(40)
    X = contents @ np.ones((2, n_channels)) + 0.01 * X[:, :n_channels]
    assert rmse(fit(X, contents.sum(axis=1)).predict(X), contents.sum(axis=1)) < 0.05


@pytest.mark.filterwarnings("ignore:target 0 is constant")
def test_constant_target():
    X, _ = mixtures(20)
    np.testing.assert_allclose(fit(X, np.full(20, 3.7)).predict(X), 3.7, rtol=1e-6)


def test_spectra_that_are_all_alike_predict_the_mean():
    np.testing.assert_allclose(fit(np.ones((12, 20)), np.arange(12.0)).predict(np.ones((2, 20))), 5.5, rtol=1e-4)


@pytest.mark.slow
def test_more_units_than_are_used():
    """Above `_UNITS` samples a part of them are centres, and all are fitted."""
    import deep_chemometrics.networks.closed_form as module

    X, contents = mixtures(150)
    y = np.sin(5 * contents[:, 1])
    full = fit(X[:100], y[:100])
    before = module._UNITS, module._MOST
    module._UNITS, module._MOST = 60, 80
    try:
        part = fit(X[:100], y[:100])
    finally:
        module._UNITS, module._MOST = before
    assert rmse(part.predict(X[100:]), y[100:]) < 2 * rmse(full.predict(X[100:]), y[100:]) + 0.02


@pytest.mark.slow
def test_fat_in_meat():
    """On samples of a fold that is not used elsewhere; ridge regression with the best preprocessing errs 0.8 %."""
    ds = load_meat()
    ds = ds[~ds.samples["group"].duplicated()]
    fat = ds.y["fat"].to_numpy()
    left_out = np.arange(len(ds)) % 5 == 0
    model = fit(ds.X[~left_out], fat[~left_out])
    assert rmse(model.predict(ds.X[left_out]), fat[left_out]) < 1


def test_outputs_are_of_the_scaled_targets():
    X, contents = mixtures(40)
    scaled = (contents - contents.mean(axis=0)) / contents.std(axis=0)
    found = closed_form_network(X, scaled)
    assert found.outputs.output_shape == (None, 2)
    assert len(found.choices) == 2


def test_it_is_no_network_for_classes():
    from deep_chemometrics.networks import CNNClassifier

    with pytest.raises(ValueError, match="architecture='closed_form'"):
        CNNClassifier("closed_form", verbose=0).fit(mixtures(20)[0], [0, 1] * 10)


def curved(n=60):
    X, contents = mixtures(n)
    return X, contents[:, 0] ** 2 + np.sin(4 * contents[:, 1])


def test_gradient_of_the_marginal_likelihood():
    X, y = curved()
    kernel = _Kernel(X, 12)
    rows = np.arange(50)
    parameters = np.array([1.0, 0.3, -2.0, 0.6, -2.0, 0.2, -0.3])
    _, gradient = kernel.loss(parameters, rows, y[rows])
    steps = 1e-5 * np.eye(len(parameters))
    up = [kernel.loss(parameters + step, rows, y[rows])[0] for step in steps]
    down = [kernel.loss(parameters - step, rows, y[rows])[0] for step in steps]
    np.testing.assert_allclose(gradient, (np.array(up) - down) / 2e-5, rtol=1e-4, atol=1e-4)


def test_shares_are_positive_and_add_up_to_one():
    rng = np.random.default_rng(0)
    y = rng.normal(size=40)
    good = y[:, None] + 0.3 * rng.normal(size=(40, 2))
    bad = rng.normal(size=(40, 1))
    shares = _shares(np.hstack([good, bad]), y)
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(1)
    assert shares[2] < 0.1 < shares[:2].min()
    np.testing.assert_allclose(_shares(np.repeat(good[:, :1], 4, axis=1), y), 0.25)


def test_the_network_is_the_mean_of_its_parts():
    X, y = curved()
    y = (y - y.mean()) / y.std()
    folds = _folds(X, y[:, None])
    bank = _filters(60)
    choice = _choose(X, y, folds, bank)
    expected = 0
    for part, share in zip(choice.parts, choice.shares):
        Z = bank[part.filter_].fit(X).transform(X)
        centred = Z - Z.mean(axis=0)
        w = part.model.weights(Z, y)
        output = centred @ w.coef + w.constant
        if w.dual is not None:
            scores = centred @ w.projection + w.offset
            output = output + np.exp(-_squares(scores, w.centres) / 2) @ w.dual
        expected = expected + share * output
    network = closed_form_network(X, y[:, None]).outputs
    np.testing.assert_allclose(network.predict(X, verbose=0)[:, 0], expected, atol=1e-3)


def test_ridge_alone_below_thirty_samples():
    X, y = curved(29)
    choice = _choose(X, y, _folds(X, y[:, None]), _filters(60))
    assert [type(part.model).__name__ for part in choice.parts] == ["_Ridge"]


@pytest.mark.slow
@pytest.mark.parametrize("change", ["scale", "constant channels", "no channel varies but one"])
def test_unusual_spectra(change):
    X, y = curved(40)
    if change == "scale":
        X = 1e8 * X
    elif change == "constant channels":
        X[:, ::3] = 2.5
    else:
        X[:, 1:] = 1.0
    predicted = fit(X, y).predict(X)
    assert np.isfinite(predicted).all()
    assert rmse(predicted, y) <= 1.01 * y.std()


@pytest.mark.slow
def test_attributions_are_complete():
    from deep_chemometrics.explanation import attribute, completeness_error

    X, y = curved(40)
    model = fit(X, y)
    explained = model.predict(X[:5]) - model.predict(model.mean_spectrum_[None])
    left = completeness_error(model, X[:5], attribute(model, X[:5]))
    assert np.abs(left).max() < 0.02 * np.abs(explained).max()


@pytest.mark.slow
def test_exported_to_onnx(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("jax2onnx")
    X, y = curved(40)
    model = fit(X, np.stack([y, -y], axis=1))
    session = onnxruntime.InferenceSession(model.export(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    (outputs,) = session.run(None, {session.get_inputs()[0].name: X.astype("float32")})
    np.testing.assert_allclose(outputs, model.predict(X), atol=1e-3)
