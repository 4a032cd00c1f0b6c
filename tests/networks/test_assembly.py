"""From raw spectra to outputs: seeds of the layers; the rest is tested on the page and through the estimators."""

import numpy as np
from conftest import numbers, spectra

from deep_chemometrics.augmentation import RandomNoise, RandomScatter
from deep_chemometrics.networks.architectures import _Seeded
from deep_chemometrics.networks.assembly import _assemble, _copied
from deep_chemometrics.networks.backend import keras


def linear(n_channels, n_outputs, seed):
    return keras.Sequential([keras.Input((n_channels,)), _Seeded(seed).dense(n_outputs)])


def test_seeds_of_augmentation_layers_are_below_two_to_the_31():
    """The largest seed that an estimator draws, and the layers after the first one."""
    largest = 2**31 - 2
    layers = [RandomNoise(0.1), RandomNoise(0.2), RandomNoise(0.3), RandomScatter()]
    model = _assemble(spectra(), 1, linear, None, layers, "global", [largest, 1, 2])
    seeds = [layer.seed for layer in model.layers if getattr(layer, "seed", None) is not None]
    assert seeds == [2**31 - 2, 2**31 - 1, 0, 1]


def test_a_layer_keeps_a_seed_of_its_own_and_stays_as_it_was():
    mine = RandomNoise(0.1, seed=7)
    copy = _copied(mine, 99)
    assert copy is not mine and copy.seed == 7 and _copied(RandomNoise(0.1), 99).seed == 99


def test_input_of_the_network_is_scaled_by_the_training_spectra():
    X = 5 + 3 * spectra(30)

    def identity(n_channels, n_outputs, seed):
        return keras.Sequential([keras.layers.Identity()])

    scaled = numbers(_assemble(X, 40, identity, None, [], "global", [0, 1, 2])(X))
    assert abs(scaled.mean()) < 1e-5 and np.isclose(scaled.std(), 1, rtol=1e-5)
