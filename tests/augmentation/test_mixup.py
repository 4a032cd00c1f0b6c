"""One rule of mixup: `augment_mixup`, the layer `RandomMixup` and the batches of a training draw from one distribution.

The partner is any other spectrum with the same probability, and the larger share belongs to the spectrum itself.
"""

import numpy as np
import pytest
from conftest import numbers
from scipy.stats import ks_2samp

from deep_chemometrics.augmentation import RandomMixup, augment_mixup
from deep_chemometrics.augmentation.arrays import draw_mixup
from deep_chemometrics.networks.training import Batches

N, STEPS = 30, 200


def from_function(alpha):
    mixed = augment_mixup(np.eye(N), np.eye(N), alpha=alpha, copies=STEPS, random_state=0)[0]
    return mixed, np.repeat(np.arange(N), STEPS)


def from_layer(alpha):
    layer = RandomMixup(alpha, seed=0)
    mixed = [numbers(layer([np.eye(N), np.eye(N)], training=True)[0]) for _ in range(STEPS)]
    return np.concatenate(mixed), np.tile(np.arange(N), STEPS)


def from_batches(alpha):
    batches, mixed, own = Batches(np.eye(N), np.eye(N), N, seed=0, mixup=alpha), [], []
    for _ in range(STEPS):
        spectra, targets = batches[0]
        assert np.array_equal(spectra, targets)
        mixed.append(spectra)
        own.append(batches.order)
        batches.on_epoch_end()
    return np.concatenate(mixed), np.concatenate(own)


@pytest.mark.parametrize("alpha", [0.2, 1.0])
@pytest.mark.parametrize("mixtures", [from_function, from_layer, from_batches])
def test_partners_and_shares_have_one_distribution(mixtures, alpha):
    mixed, own = mixtures(alpha)
    rows = np.arange(len(mixed))
    share = mixed[rows, own]
    assert share.min() >= 0.5 and np.allclose(mixed.sum(axis=1), 1, atol=1e-6)
    drawn = np.random.default_rng(1).beta(alpha, alpha, len(share))
    expected = np.maximum(drawn, 1 - drawn).astype("float32")
    assert ks_2samp(share.astype("float32"), expected).pvalue > 1e-3
    rest = mixed.copy()
    rest[rows, own] = 0
    mixed_rows = rest.max(axis=1) > 0  # a share may round to one, and then shows no partner
    assert ((rest > 0).sum(axis=1)[mixed_rows] == 1).all()
    # each of the 29 others is as likely: counts within five standard errors
    distance = (rest.argmax(axis=1) - own)[mixed_rows] % N
    counts = np.bincount(distance, minlength=N)
    n, p = mixed_rows.sum(), 1 / (N - 1)
    assert counts[0] == 0 and np.abs(counts[1:] - n * p).max() < 5 * np.sqrt(n * p * (1 - p))


@pytest.mark.parametrize("alpha", [0, 0.2])
def test_a_batch_of_one_stays(alpha):
    partner, share = draw_mixup(np.zeros(5, int), 1, alpha, np.random.default_rng(0))
    assert np.array_equal(partner, np.zeros(5)) and (share >= 0.5).all()
    X, y = Batches(np.full((1, 3), 2.0), np.ones((1, 1)), 4, seed=0, mixup=0.5)[0]
    assert np.allclose(X, 2) and np.allclose(y, 1)


def test_random_states_and_generators_draw_alike():
    own = np.repeat(np.arange(5), 4)
    for random in (np.random.RandomState(0), np.random.default_rng(0)):
        partner, share = draw_mixup(own, 5, 0.2, random)
        assert (partner != own).all() and partner.min() >= 0 and partner.max() < 5 and (share >= 0.5).all()
