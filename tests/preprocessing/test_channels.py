"""LowNoiseChannels: noise of a known size, the channels that stay, and input without any noise.

The contract for degenerate input, and scikit-learn's, is in test_contract.py.
"""

from itertools import pairwise

import numpy as np
import pytest

from deep_chemometrics.preprocessing import LowNoiseChannels


def noisy_ends(n=200, p=300, low=1e-4, high=1e-2, seed=0):
    """Smooth spectra whose noise is larger below channel 60 and from channel 240."""
    rng = np.random.default_rng(seed)
    level = np.where((np.arange(p) >= 60) & (np.arange(p) < 240), low, high)
    return np.sin(np.linspace(0, 3, p)) * rng.uniform(1, 2, (n, 1)) + level * rng.standard_normal((n, p))


def test_noise_of_a_known_size_is_found():
    X = noisy_ends()
    fitted = LowNoiseChannels(factor=10).fit(X)
    # a third difference spans 4 channels
    assert abs(fitted.range_.start - 60) <= 2 and abs(fitted.range_.stop - 240) <= 2
    # standard deviations of 200 correlated differences: 20 % is four of their standard errors
    assert np.allclose(fitted.noise_[70:230], 1e-4, rtol=0.25)
    assert np.allclose(fitted.noise_[5:50], 1e-2, rtol=0.25)
    assert np.array_equal(fitted.transform(X), X[:, fitted.range_])


def test_noise_is_the_definition(train):
    third = np.stack([row[3:] - 3 * row[2:-1] + 3 * row[1:-2] - row[:-3] for row in train])
    expected = np.sqrt(np.mean((third - third.mean(axis=0)) ** 2, axis=0) / 20)
    noise = LowNoiseChannels().fit(train).noise_
    np.testing.assert_allclose(noise[1:-2], expected, rtol=1e-9)
    assert noise[0] == noise[1] and noise[-1] == noise[-3] and len(noise) == train.shape[1]


def test_what_all_spectra_share_is_no_noise():
    X = noisy_ends()
    sharp = np.zeros(300)
    sharp[150] = 5.0
    np.testing.assert_allclose(LowNoiseChannels().fit(X + sharp).noise_, LowNoiseChannels().fit(X).noise_, rtol=1e-9)


def test_a_larger_factor_keeps_more(train):
    ranges = [LowNoiseChannels(factor).fit(train).range_ for factor in (0.01, 1, 3, 10, 1e9)]
    for narrow, broad in pairwise(ranges):
        assert broad.start <= narrow.start < narrow.stop <= broad.stop
    assert ranges[-1] == slice(0, train.shape[1])


@pytest.mark.parametrize("size", [1e-100, 1e-6, 1e6, 1e100, 1e300])
def test_units_do_not_matter(size):
    X = noisy_ends()
    plain, scaled = LowNoiseChannels(3).fit(X), LowNoiseChannels(3).fit(size * X)
    assert plain.range_ == scaled.range_
    np.testing.assert_allclose(scaled.noise_ / size, plain.noise_, rtol=1e-6)


@pytest.mark.parametrize("factor", [0, -1.0, np.nan, np.inf, "low", None])
def test_wrong_factors(factor):
    with pytest.raises(ValueError, match="factor="):
        LowNoiseChannels(factor).fit(noisy_ends(5))


@pytest.mark.parametrize("factor", [1e-6, 1.0])
@pytest.mark.parametrize("seed", range(20))
def test_something_always_stays(factor, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(3, rng.integers(1, 40))) ** 3
    assert LowNoiseChannels(factor).fit_transform(X).shape[1] >= 1
