"""Batches, learning rates, memory and plateau, without training where that is enough. Kills are in test_estimators."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import spectra

from deep_chemometrics.networks import bjerrum
from deep_chemometrics.networks.backend import keras
from deep_chemometrics.networks.training import (
    Batches,
    Memory,
    Plateau,
    ProgressLine,
    learning_rates,
    read_numbers,
    train,
    write_numbers,
)

TEN = np.arange(10.0)[:, None]


# -- Batches ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 10, 50])
def test_every_sample_in_batches_of_one_size(size):
    batches = Batches(TEN, TEN, size, seed=0)
    found = [batches[i][0] for i in range(len(batches))]
    assert {len(X) for X in found} == {min(size, 10)}
    assert set(np.concatenate(found).ravel()) == set(range(10))


def test_mixup_follows_the_rule_of_augment_mixup():
    """Every sample with another one, never with itself, and with a share of at least one half."""
    batches = Batches(TEN, 5 * TEN, 10, seed=0, mixup=0.4)
    for _ in range(200):
        X, y = batches[0]
        own = TEN[batches.order]
        assert np.allclose(y, 5 * X)
        assert (X != own).all() and (np.abs(X - own) <= 4.5 + 1e-9).all()
        batches.on_epoch_end()


def test_a_batch_of_one_sample_is_not_mixed():
    batches = Batches(TEN, TEN, 1, seed=0, mixup=0.4)
    assert batches[3][0] == batches[3][1] == TEN[batches.order[3]]


def test_mixed_batches_keep_single_precision():
    X, y = spectra(8, 5), np.zeros((8, 2), np.float32)
    assert [a.dtype for a in Batches(X, y, 4, seed=0, mixup=0.2)[1]] == [np.float32, np.float32]


# -- Learning rates -----------------------------------------------------------------------------------------------


def test_cosine_reports_what_keras_computes():
    cosine = learning_rates("cosine", 1e-3, 200)
    found = [cosine.at(step) for step in range(0, 220, 7)]
    assert np.allclose(found, [float(cosine(step)) for step in range(0, 220, 7)], atol=1e-9)  # float32


def rates_on_plateau(losses, patience):
    """The rule, written down once more: halve after `patience` epochs without a new least loss."""
    least, waited, rate, rates = np.inf, 0, 1.0, []
    for loss in losses:
        if loss < least:
            least, waited = loss, 0
        else:
            waited += 1
        if waited == patience:
            rate, waited = rate / 2, 0
        rates.append(rate)
    return rates


@pytest.mark.parametrize("monitor", ["loss", "val_loss"])
def test_plateau_follows_the_rule_and_a_resumed_one_goes_on(monitor):
    random = np.random.default_rng(0)
    losses = [*random.random(30).tolist(), float("nan"), *random.random(30).tolist()]

    def started(history):
        plateau = Plateau(history, monitor, rate=1.0, patience=4)
        plateau.set_model(SimpleNamespace(optimizer=keras.optimizers.SGD(0.3)))
        plateau.on_train_begin()
        return plateau

    def rate(plateau):
        return float(keras.ops.convert_to_numpy(plateau.model.optimizer.learning_rate))

    plateau = started({})
    found = []
    for epoch, loss in enumerate(losses):
        plateau.on_epoch_end(epoch, {monitor: loss})
        found.append(rate(plateau))
    assert found == rates_on_plateau(losses, 4) and found[-1] < 0.1
    for done in (0, 1, 7, 31, 50):
        resumed = started({monitor: losses[:done]})
        assert rate(resumed) == ([1.0, *found])[done]
        for epoch in range(done, 61):
            resumed.on_epoch_end(epoch, {monitor: losses[epoch]})
            assert rate(resumed) == found[epoch]


# -- Memory -------------------------------------------------------------------------------------------------------


def memory_after(losses, patience=None, name="val_loss"):
    """A memory that was told of these losses, one epoch each, and the weights at each."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    memory = Memory(model, "error", patience)
    memory.set_model(model)
    for epoch, loss in enumerate(losses):
        model.layers[-1].bias.assign([float(epoch)])
        memory.on_epoch_end(epoch, {"loss": 1.0, name: loss})
        if model.stop_training:
            break
    memory.restore()
    return memory, float(model.layers[-1].bias[0])


def test_memory_restores_the_best_epoch():
    memory, bias = memory_after([3.0, 1.0, 2.0])
    assert (memory.epoch, memory.least, bias) == (1, 1.0, 1.0)
    assert memory.history["val_loss"] == [3.0, 1.0, 2.0]


def test_patience_counts_from_the_best_epoch():
    memory, _ = memory_after([3.0, 1.0, 2.0, 2.0, 2.0, 0.5], patience=2)
    assert len(memory.history["val_loss"]) == 4


def test_training_stops_when_the_loss_is_no_number():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    memory = Memory(model, "error")
    memory.set_model(model)
    for epoch, (loss, stopped) in enumerate([(1.0, False), (np.inf, False), (np.nan, True)]):
        memory.on_epoch_end(epoch, {"loss": loss})
        assert bool(model.stop_training) is stopped
    assert memory.epoch == 0


def test_diverged_training_is_not_continued():
    X, y = spectra(20, 9), np.zeros((20, 1), np.float32)
    model = keras.Sequential([keras.Input((9,)), keras.layers.Dense(1)])
    with pytest.warns(UserWarning, match="training diverged"):
        memory, _ = train(model, keras.losses.mean_squared_error, Batches(X, y, 5, 0), None, 30, 1e30)
    assert len(memory.history["loss"]) < 30 and np.isnan(memory.history["loss"][-1])
    assert all(np.isfinite(w).all() for w in model.get_weights())


# -- Progress and files -------------------------------------------------------------------------------------------


def test_line_of_progress_in_units_of_the_target(capsys):
    line = ProgressLine(2, y_scale=10.0, unit="mg")
    for epoch in range(2):
        line.on_epoch_begin(epoch)
        line.on_epoch_end(epoch, {"loss": 0.04, "val_loss": 0.09, "learning_rate": 1e-3})
    line.on_train_end()
    shown = capsys.readouterr().err
    assert "RMSE 2 mg, val_RMSE 3 mg, rate 1.0e-03" in shown and "2/2" in shown


def test_numbers_and_text_survive(tmp_path):
    path = tmp_path / "deep" / "numbers.npz"
    write_numbers(path, {"a": [1, None, "x"]}, b=np.arange(3))
    text, arrays = read_numbers(path)
    assert text == {"a": [1, None, "x"]} and np.array_equal(arrays["b"], np.arange(3))
    assert [p.name for p in path.parent.iterdir()] == ["numbers.npz"]
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ValueError, match=r"numbers.npz is not a checkpoint: delete it"):
        read_numbers(path)


def test_penalties_are_no_error_of_the_predictions():
    """`loss` in the history is the error of the predictions, where the loss that is trained contains penalties."""
    X, y = spectra(20, 9), np.ones((20, 1), np.float32)
    dense = keras.layers.Dense(1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(1e3))
    model = keras.Sequential([keras.Input((9,)), dense])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        memory, _ = train(model, keras.losses.mean_squared_error, Batches(X, y, 20, 0), (X, y), 1, 1e-9)
    error = np.mean((X.sum(axis=1) - 1) ** 2)
    assert np.isclose(memory.history["val_loss"][0], error, rtol=1e-4)
    assert np.isclose(memory.history["loss"][0], error, rtol=1e-4)


def test_network_of_the_page_trains():
    assert bjerrum(20, filters=(2,), width=3, dense=2).count_params() == 8 + 82 + 3
