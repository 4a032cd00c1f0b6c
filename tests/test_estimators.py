"""CNNRegressor: scikit-learn's contract, seeds, storage, interruption, odd and bad input.

Compiling a network takes a second or two and training next to nothing, so most tests use a tiny one.
"""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from deep_chemometrics.checks import SpectrumWarning
from deep_chemometrics.cnn import bjerrum
from deep_chemometrics.estimators import CNNRegressor, _Batches
from deep_chemometrics.layers import keras


class Tiny:
    """A network that learns scikit-learn's toy problems in a few steps.

    A function would show its address in the names of the tests, and pytest-xdist wants these alike in all processes.
    """

    def __call__(self, n_channels, n_targets, seed):
        return bjerrum(n_channels, n_targets, filters=(4,), width=3, dense=16, noise=0.0, dropout=0.0, seed=seed)

    def __repr__(self):
        return "tiny"


tiny = Tiny()


def regressor(**changes):
    settings = dict(architecture=tiny, epochs=4, batch_size=32, learning_rate=0.01, verbose=0, random_state=0)
    return CNNRegressor(**settings | changes)


def data(n=60, p=40, seed=0):
    rng = np.random.default_rng(seed)
    content, channels = rng.uniform(0, 10, n), np.arange(p)
    X = content[:, None] * np.exp(-0.5 * ((channels - 15) / 3) ** 2) + rng.normal(0, 0.1, (n, p)) + channels / 10
    return X, content


# -- The contract of scikit-learn ---------------------------------------------------------------------------------

LAST_BIT = "float32: the last bit of a row depends on its place in the batch, and the check wants seven digits"


def excused(estimator):
    return {"check_methods_sample_order_invariance": LAST_BIT, "check_methods_subset_invariance": LAST_BIT}


@pytest.mark.filterwarnings("ignore::deep_chemometrics.checks.SpectrumWarning")  # its data sets are tiny
@parametrize_with_checks([regressor(epochs=40, random_state=None)], expected_failed_checks=excused)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def test_prediction_does_not_depend_on_company():
    """What the two excused checks ask, to the precision of float32."""
    X, y = data()
    model, order = regressor().fit(X, y), np.random.default_rng(0).permutation(60)
    assert np.allclose(model.predict(X[order]), model.predict(X)[order], rtol=1e-5)
    assert np.allclose(np.concatenate([model.predict(x[None]) for x in X]), model.predict(X), rtol=1e-5)


# -- Seeds --------------------------------------------------------------------------------------------------------


def test_same_seed_same_network_whatever_the_program_draws():
    X, y = data()
    first = regressor(augmentation=True, scatter_correction="emsc", architecture="bjerrum").fit(X, y).predict(X)
    keras.utils.set_random_seed(99)  # numpy's, Python's and Keras's
    again = regressor(augmentation=True, scatter_correction="emsc", architecture="bjerrum").fit(X, y).predict(X)
    assert np.array_equal(first, again)
    other = regressor(augmentation=True, scatter_correction="emsc", architecture="bjerrum", random_state=1).fit(X, y)
    assert not np.array_equal(first, other.predict(X))


def test_the_program_keeps_its_random_state():
    X, y = data()
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    regressor().fit(X, y).predict(X)
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_augmentation_and_correction_change_the_network():
    X, y = data()
    predictions = [
        regressor(**options).fit(X, y).predict(X)
        for options in ({}, {"augmentation": True}, {"scatter_correction": "msc"}, {"scatter_correction": 2})
    ]
    for i, one in enumerate(predictions):
        assert all(not np.allclose(one, other) for other in predictions[i + 1 :])


def test_scatter_correction_makes_it_blind_to_offset_and_gain():
    X, y = data()
    model = regressor(scatter_correction="msc").fit(X, y)
    assert np.allclose(model.predict(1.3 * X + 0.5), model.predict(X), atol=1e-3)  # float32, values of the order of 10


# -- What is left after training ----------------------------------------------------------------------------------


def test_history_speaks_the_units_of_y():
    X, y = data(200)
    model = regressor(epochs=30).fit(X, 1000 * y)
    validation = model.history_.loc[model.best_epoch_, "val_rmse"]
    part, held_out = model._split(200, np.random.RandomState(0))
    assert model.history_["val_rmse"].idxmin() == model.best_epoch_ and len(model.history_) == 30
    assert 0 < validation < 1000 * y.std()
    assert len(held_out) == 40 and not set(part) & set(held_out) and len(part) + len(held_out) == 200


def test_best_weights_are_those_of_the_best_epoch():
    """A rate far too high makes the validation error jump about; the network kept must have the least of it."""
    X, y = data(200)
    model = regressor(epochs=30, learning_rate=1.0).fit(X, np.random.default_rng(1).permutation(y))
    y = np.random.default_rng(1).permutation(y)
    rng = np.random.RandomState(0)
    rng.randint(2**31 - 1, size=3)  # the seeds that fit draws before it splits
    _, held_out = model._split(200, rng)
    rmse = np.sqrt(np.mean((model.predict(X[held_out]) - y[held_out]) ** 2))
    assert model.best_epoch_ < 30, "the test needs a training that gets worse again"
    assert np.isclose(rmse, model.history_["val_rmse"].min(), rtol=1e-3)  # float32


def test_scales_are_learnt_on_the_training_part_only():
    X, y = data(50)
    model = regressor(epochs=1).fit(X, y)
    rng = np.random.RandomState(0)
    rng.randint(2**31 - 1, size=3)
    part, _ = model._split(50, rng)
    assert np.allclose(model.mean_spectrum_, X[part].mean(axis=0), atol=1e-5)
    units = model.model_.get_layer("units_of_y")
    assert np.isclose(units.offset[0], y[part].mean()) and np.isclose(units.scale[0], y[part].std())


@pytest.mark.parametrize("n, expected", [(9, 0), (10, 2), (100, 20)])
def test_size_of_the_validation_part(n, expected):
    part, held_out = regressor()._split(n, np.random.RandomState(0))
    assert len(held_out) == expected and len(part) == n - expected


def test_without_validation_the_last_epoch_counts():
    X, y = data()
    model = regressor(validation_fraction=0).fit(X, y)
    assert model.best_epoch_ == 4 and list(model.history_.columns) == ["loss", "rmse"]


def test_one_keras_file_takes_raw_spectra(tmp_path):
    X, y = data()
    model = regressor(augmentation=True, scatter_correction="emsc").fit(X, y)
    model.model_.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert np.array_equal(loaded.predict(X.astype(np.float32), verbose=0, batch_size=256)[:, 0], model.predict(X))


def test_pickle_and_clone():
    X, y = data()
    model = regressor(augmentation={"gain": 0.2}, scatter_correction=1).fit(X, y)
    assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    with pytest.raises(NotFittedError):
        clone(model).predict(X)


# -- Forms of y ---------------------------------------------------------------------------------------------------


def test_prediction_has_the_form_of_y():
    X, y = data()
    two = np.stack([y, 3 - y], axis=1)
    assert regressor().fit(X, y).predict(X).shape == (60,)
    assert regressor().fit(X, list(y)).predict(X[:1]).shape == (1,)
    assert regressor().fit(X, y[:, None]).predict(X).shape == (60, 1)
    assert regressor().fit(X, pd.DataFrame({"a": y})).predict(X).shape == (60, 1)
    assert regressor().fit(pd.DataFrame(X), pd.Series(y)).predict(pd.DataFrame(X)).shape == (60,)
    both = regressor(epochs=60).fit(X, two)
    assert both.predict(X).shape == (60, 2) and both.score(X, two) > 0.5
    assert list(both.history_.columns) == ["loss", "val_loss"]


# -- Interruption -------------------------------------------------------------------------------------------------


class Stopped(_Batches):
    calls = 0

    def __getitem__(self, i):
        self.calls += 1
        if self.calls == self.stop_at:
            raise KeyboardInterrupt
        return super().__getitem__(i)


@pytest.mark.parametrize("stop_at", [2, 5, 11])
def test_interrupted_network_is_usable(stop_at, monkeypatch):
    X, y = data(100)
    monkeypatch.setattr(Stopped, "stop_at", stop_at, raising=False)
    monkeypatch.setattr("deep_chemometrics.estimators._Batches", Stopped)
    with pytest.warns(UserWarning, match="interrupted"):
        model = regressor(epochs=50).fit(X, y)
    assert model.interrupted_ and len(model.history_) < 6
    assert np.isfinite(model.predict(X)).all()
    assert pickle.loads(pickle.dumps(model)).predict(X).shape == (100,)


# -- Odd but finite -----------------------------------------------------------------------------------------------


def test_constant_target_is_learnt_as_that_constant():
    X, _ = data()
    with pytest.warns(SpectrumWarning, match="target 0 is constant"):
        model = regressor(epochs=60, learning_rate=0.003).fit(X, np.full(60, 190.0))
    assert np.allclose(model.predict(X), 190, atol=0.5)


def test_constant_spectrum_is_predicted_finitely():
    X, y = data()
    model = regressor(scatter_correction="emsc").fit(X, y)
    assert np.isfinite(model.predict(np.full((2, 40), 3.0))).all()


@pytest.mark.parametrize("correction", [None, "msc", "emsc"])
def test_two_samples_one_channel_integers(correction):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SpectrumWarning)
        for X in (np.array([[1, 2, 4], [2, 3, 9]]), np.array([[1], [2]]), np.ones((3, 5))):
            model = regressor(scatter_correction=correction).fit(X, np.arange(len(X)))
            assert np.isfinite(model.predict(X)).all()


# -- Bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong, words",
    [
        (dict(architecture="resnet9000"), "architecture='resnet9000'.*'bjerrum'"),
        (dict(scatter_correction="snv"), "'msc', 'emsc'"),
        (dict(scatter_correction=-1), "scatter_correction=-1"),
        (dict(augmentation={"tilt": 1}), "offset, slope and gain"),
        (dict(augmentation={"gain": -1}), "gain=-1"),
        (dict(augmentation="yes"), "augmentation='yes'"),
        (dict(epochs=0), "epochs=0"),
        (dict(batch_size=1.5), "batch_size=1.5"),
        (dict(learning_rate=0), "learning_rate=0"),
        (dict(learning_rate=float("nan")), "learning_rate=nan"),
        (dict(validation_fraction=1), "validation_fraction=1"),
        (dict(validation_fraction=-0.1), "validation_fraction=-0.1"),
    ],
)
def test_wrong_parameters(wrong, words):
    X, y = data()
    with pytest.raises(ValueError, match=words):
        regressor(**wrong).fit(X, y)


def test_wrong_data():
    X, y = data()
    hole = X.copy()
    hole[3, 7] = np.nan
    gap = y.copy()
    gap[5] = np.inf
    model = regressor(epochs=1).fit(X, y)
    for function, arguments, words in (
        (regressor().fit, (hole, y), "NaN: first at row 3, channel 7"),
        (model.predict, (hole,), "NaN: first at row 3, channel 7"),
        (regressor().fit, (X, gap), "y contains infinity: first at row 5"),
        (regressor().fit, (X, y[:-1]), "59 rows"),
        (regressor().fit, (X, None), "requires y"),
        (regressor().fit, (X[0], y), "Reshape your data"),
        (regressor().fit, (X[:0], y[:0]), "0 sample"),
        (regressor().fit, (X[:1], y[:1]), "n_samples=1"),
        (model.predict, (X[:, 1:],), "39 features"),
    ):
        with pytest.raises(ValueError, match=words):
            function(*arguments)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (dict(learning_rate=float("inf")), "learning_rate=inf"),
        (dict(learning_rate="fast"), "learning_rate='fast'"),
        (dict(validation_fraction="some"), "validation_fraction='some'"),
        (dict(validation_fraction=None), "validation_fraction=None"),
        (dict(scatter_correction=True), "scatter_correction"),
        (dict(scatter_correction=1.0), "scatter_correction"),
        (dict(augmentation={"gain": np.nan}), "gain=nan"),
        (dict(augmentation={"gain": "large"}), "gain='large'"),
        (dict(random_state="seven"), "seven"),
        (dict(architecture=None), "architecture=None"),
    ],
    ids=str,
)
def test_more_wrong_parameters(wrong, words):
    with pytest.raises(ValueError, match=words):
        regressor(**wrong).fit(*data(20, 9))


def test_target_that_is_a_single_value():
    with pytest.raises(ValueError, match=r"y has shape \(\)"):
        regressor().fit(data()[0], 5.0)


def test_numbers_beyond_float32_are_refused():
    X, y = data()
    model = regressor(epochs=1).fit(X, y)
    X[3, 7] = 1e39
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for call in (lambda: regressor().fit(X, y), lambda: model.predict(X)):
            with pytest.raises(ValueError, match="X as float32 contains infinity: first at row 3, channel 7"):
                call()


# -- An architecture of the user's --------------------------------------------------------------------------------


def linear(n_channels, n_targets, seed):
    inputs = keras.Input((n_channels,))
    return keras.Model(inputs, keras.layers.Dense(n_targets, kernel_initializer=keras.initializers.Zeros())(inputs))


def test_architecture_of_ones_own():
    X, y = data(200)
    model = regressor(architecture=linear, epochs=30).fit(X, y)
    assert model.score(X, y) > 0.95 and model.model_.count_params() == 41 + 0
    assert clone(model).architecture is linear


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (
            lambda p, q, seed: linear(p, q + 1, seed),
            r"architecture gives outputs of shape \(None, 2\), not \(None, 1\)",
        ),
        (lambda p, q, seed: keras.Sequential([keras.layers.Reshape((p, 1))]), r"outputs of shape \(None, 40, 1\)"),
        (lambda p, q, seed: None, "architecture has to return a Keras model, but returned a NoneType"),
        (lambda p, q, seed: np.ones(p), "returned a ndarray"),
    ],
)
def test_architecture_that_does_not_fit(build, words):
    # two outputs for one target would be trained without a word: numpy's rules stretch the target
    with pytest.raises(ValueError, match=words):
        regressor(architecture=build).fit(*data())


# -- More of what is odd but finite -------------------------------------------------------------------------------


@pytest.mark.parametrize("fraction", [0.2, 0])
def test_diverged_training_says_so_and_stays_finite(fraction):
    X, y = data()
    with pytest.warns(UserWarning, match="training diverged: .* kept; try a lower learning_rate"):
        model = regressor(architecture=linear, learning_rate=1e30, epochs=6, validation_fraction=fraction).fit(X, y)
    assert np.isfinite(model.predict(X)).all() and not np.isfinite(model.history_["loss"]).all()


@pytest.mark.parametrize("n, fraction", [(10, 0.99), (11, 0.95), (200, 0.999)])
def test_some_samples_are_always_left_to_train_on(n, fraction):
    part, held_out = regressor(validation_fraction=fraction)._split(n, np.random.RandomState(0))
    assert len(part) >= 2 and not set(part) & set(held_out) and len(part) + len(held_out) == n
    X, y = data(n)
    assert np.isfinite(regressor(validation_fraction=fraction).fit(X, y).predict(X)).all() if n == 10 else True


def test_validation_never_overlaps():
    for seed in range(50):
        for n in (10, 11, 23):
            part, held_out = regressor(validation_fraction=0.3)._split(n, np.random.RandomState(seed))
            assert sorted([*part, *held_out]) == list(range(n))


@pytest.mark.parametrize("correction", [None, "msc"])
def test_training_spectra_without_any_variation(correction):
    with pytest.warns(SpectrumWarning):
        model = regressor(scatter_correction=correction).fit(np.full((20, 9), 0.1), np.arange(20.0))
    assert np.isfinite(model.predict(np.random.default_rng(0).random((3, 9)))).all()


def test_rounding_is_not_taken_for_a_signal():
    """Each spectrum constant, at a level of its own: after MSC there is nothing but rounding, which must not grow."""
    X = np.repeat(np.random.default_rng(0).uniform(1, 2, (20, 1)), 40, axis=1)
    with pytest.warns(SpectrumWarning):
        model = regressor(scatter_correction="msc").fit(X, np.arange(20.0))
    scaler = next(layer for layer in model.model_._flatten_layers() if layer.name == "global_scaler")
    assert scaler.scale == 1.0 and np.ptp(model.predict(X)) < 1e-3


# -- More of interruption -----------------------------------------------------------------------------------------


def test_interrupted_before_the_first_epoch_is_over(monkeypatch, capsys):
    X, y = data(100)
    monkeypatch.setattr(Stopped, "stop_at", 1, raising=False)
    monkeypatch.setattr("deep_chemometrics.estimators._Batches", Stopped)
    with pytest.warns(UserWarning, match="interrupted: the initial weights are kept"):
        model = regressor(verbose=1).fit(X, y)
    assert model.best_epoch_ == 0 and len(model.history_) == 0 and np.isfinite(model.predict(X)).all()


def test_line_of_progress_ends_with_the_interruption(monkeypatch, capsys):
    X, y = data(100)
    monkeypatch.setattr(Stopped, "stop_at", 8, raising=False)
    monkeypatch.setattr("deep_chemometrics.estimators._Batches", Stopped)
    with pytest.warns(UserWarning, match="interrupted"):
        regressor(verbose=1, epochs=50).fit(X, y)
    assert capsys.readouterr().err.endswith("\n")


def test_silent_where_asked(capfd):
    X, y = data()
    regressor().fit(X, y).predict(X)
    assert capfd.readouterr() == ("", "")
    regressor(verbose=1).fit(X, y).predict(X)
    assert "4/4" in capfd.readouterr().err
