"""Calibration transfer: against chemotools, written-out formulas, and odd input."""

import pickle

import numpy as np
import pandas as pd
import pytest
from chemotools.adaptation import DirectStandardization as ChemotoolsDS
from chemotools.adaptation import PiecewiseDirectStandardization as ChemotoolsPDS
from chemotools.projection import ExternalParameterOrthogonalization as ChemotoolsEPO
from sklearn.base import clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from deep_chemometrics.calibration import (
    EPO,
    DirectStandardization,
    PiecewiseDirectStandardization,
    SlopeBias,
    select_samples,
)
from deep_chemometrics.checks import SpectrumWarning

STANDARDIZATIONS = [DirectStandardization(), PiecewiseDirectStandardization(), EPO()]
each = pytest.mark.parametrize("method", STANDARDIZATIONS, ids=lambda m: type(m).__name__)


def pairs(n=12, p=60, seed=0):
    """Smooth spectra, and the same on an instrument with another gain, offset and shift, and noise."""
    rng = np.random.default_rng(seed)
    t = np.linspace(0, 1, p)
    centres = rng.uniform(0.1, 0.9, (5, 1))
    pure = np.exp(-(((t - centres) / 0.08) ** 2))
    contents = rng.uniform(0.2, 1, (n, 5))
    source = contents @ pure + 0.001 * rng.normal(size=(n, p))
    shifted = np.exp(-(((t - centres - 0.01) / 0.085) ** 2))
    target = 1.05 * contents @ shifted + 0.1 * t + 0.001 * rng.normal(size=(n, p))
    return target, source, contents


def test_published_direct_standardisation_is_that_of_chemotools():
    target, source, _ = pairs()
    new = pairs(seed=0, n=30)[0]
    own = DirectStandardization(center=False, keep_residual=False).fit(target, X_source=source)
    other = ChemotoolsDS().fit(target, X_source=source)
    np.testing.assert_allclose(own.transform(new), other.transform(new), rtol=0, atol=1e-8)


@pytest.mark.parametrize("n_components", [1, 2, 4])
@pytest.mark.parametrize("half_window", [3, 10, 70])  # the last is wider than the spectrum
def test_piecewise_standardisation_is_that_of_chemotools(n_components, half_window):
    target, source, _ = pairs()
    new = pairs(n=30, seed=0)[0]
    own = PiecewiseDirectStandardization(half_window, n_components).fit(target, X_source=source)
    other = ChemotoolsPDS(half_window, n_components, scale=False).fit(target, X_source=source)
    np.testing.assert_allclose(own.transform(new), other.transform(new), rtol=0, atol=1e-8)


def test_windows_are_pls_regressions():
    """One window in the middle and one at the end, by scikit-learn."""
    target, source, _ = pairs()
    own = PiecewiseDirectStandardization(4, 3).fit(target, X_source=source).transform(target)
    for j in (0, 30, 59):
        window = slice(max(0, j - 4), j + 5)
        pls = PLSRegression(3, scale=False).fit(target[:, window], source[:, j])
        np.testing.assert_allclose(own[:, j], pls.predict(target[:, window]).ravel(), atol=1e-9)


@pytest.mark.parametrize("n_components", [1, 3])
def test_epo_is_that_of_chemotools(n_components):
    target, source, _ = pairs()
    own = EPO(n_components).fit(target, X_source=source)
    both = np.vstack([target, source])
    labels = np.tile(np.arange(len(target)), 2)
    other = ChemotoolsEPO(n_components).fit(source, X_external=both, sample_ids=labels)
    np.testing.assert_allclose(own.transform(target), other.transform(target), rtol=0, atol=1e-8)


def test_direct_standardisation_written_out():
    """With a pseudo-inverse; the residual is what the transfer samples do not span."""
    target, source, _ = pairs()
    new = pairs(n=5, seed=3)[0]
    mean, mean_source = target.mean(axis=0), source.mean(axis=0)
    inverse = np.linalg.pinv(target - mean)
    image = (new - mean) @ inverse @ (source - mean_source) + mean_source
    outside = (new - mean) @ (np.eye(60) - inverse @ (target - mean))
    drop = DirectStandardization(keep_residual=False).fit(target, X_source=source)
    keep = DirectStandardization().fit(target, X_source=source)
    np.testing.assert_allclose(drop.transform(new), image, atol=1e-9)
    np.testing.assert_allclose(keep.transform(new), image + outside, atol=1e-9)


def test_kept_residual_needs_fewer_samples():
    """New samples with a band that no transfer sample has: it survives only if it is kept."""
    target, source, _ = pairs(n=4)
    band = np.exp(-(((np.linspace(0, 1, 60) - 0.5) / 0.02) ** 2))
    keep, drop = (DirectStandardization(keep_residual=k).fit(target, X_source=source) for k in (True, False))
    change = [m.transform(target + band) - m.transform(target) for m in (keep, drop)]
    assert np.linalg.norm(change[0] - band) < 0.5 * np.linalg.norm(change[1] - band)


@pytest.mark.parametrize("method", STANDARDIZATIONS[:2], ids=lambda m: type(m).__name__)
def test_standardised_spectra_are_nearer(method):
    target, source, _ = pairs(n=40)
    fitted = clone(method).fit(target[:20], X_source=source[:20])
    before = np.linalg.norm(target[20:] - source[20:])
    assert np.linalg.norm(fitted.transform(target[20:]) - source[20:]) < 0.3 * before


def test_number_of_directions():
    target, source, _ = pairs()
    assert len(DirectStandardization().fit(target, X_source=source).directions_) == 11
    assert len(DirectStandardization(3).fit(target, X_source=source).directions_) == 3
    one = DirectStandardization().fit(target[:1], X_source=source[:1])
    np.testing.assert_allclose(one.transform(target), target + source[0] - target[0])


@each
def test_without_pairs_spectra_stay_and_a_warning_says_so(method):
    X = pairs()[0]
    with pytest.warns(SpectrumWarning, match="without pairs, spectra stay"):
        fitted = clone(method).fit(X)
    assert np.array_equal(fitted.transform(X), X)


@each
def test_identical_instruments_change_nothing(method):
    X = pairs()[1]
    method = clone(method)
    if isinstance(method, PiecewiseDirectStandardization):
        method.set_params(half_window=1, n_components=3)  # all that a window of three channels holds
    np.testing.assert_allclose(method.fit(X, X_source=X).transform(X), X, atol=1e-9)


@each
@pytest.mark.parametrize("kind", ["constant", "zero", "constant channels", "huge"])
def test_degenerate_pairs_are_finite(method, kind):
    target, source, _ = pairs()
    if kind == "constant":
        target, source = np.ones_like(target), 2 * np.ones_like(source)
    elif kind == "zero":
        target, source = 0 * target, 0 * source
    elif kind == "constant channels":
        target[:, :20] = 1.0
        source[:, 10:30] = 2.0
    else:
        target, source = 1e150 * target, 1e150 * source
    fitted = clone(method).fit(target, X_source=source)
    with np.errstate(all="raise"):
        assert np.isfinite(fitted.transform(target)).all()


@each
def test_what_is_refused(method):
    target, source, _ = pairs()
    for X, S, words in [
        (target, source[:, :50], "resample"),
        (target, source[:8], "same sample"),
        (target, np.where(source == source[0, 0], np.nan, source), "X_source contains NaN"),
        (target[:0], source[:0], "0 sample"),
        (pd.DataFrame(target, columns=[f"{i} nm" for i in range(60)]), pd.DataFrame(source), "resample"),
    ]:
        with pytest.raises(ValueError, match=words):
            clone(method).fit(X, X_source=S)


@pytest.mark.parametrize(
    ("method", "n"),
    [(DirectStandardization(4), 4), (PiecewiseDirectStandardization(5, 3), 3), (EPO(3), 2)],
)
def test_too_few_pairs_are_told(method, n):
    target, source, _ = pairs()
    with pytest.raises(ValueError, match=f"at least {n + 1} transfer samples"):
        method.fit(target[:n], X_source=source[:n])
    method.fit(target[: n + 1], X_source=source[: n + 1])


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (PiecewiseDirectStandardization(1, 4), "more than the window"),
        (PiecewiseDirectStandardization(-1), "half_window"),
        (PiecewiseDirectStandardization(2.0), "half_window"),
        (EPO(0), "n_components"),
        (EPO(61), "nothing would be left"),
        (DirectStandardization(0), "n_components"),
    ],
)
def test_bad_parameters(method, words):
    target, source, _ = pairs(n=70)
    with pytest.raises(ValueError, match=words):
        method.fit(target, X_source=source)


@each
def test_float32_and_portions(method):
    """Portions of 256 rows give what all rows give; single precision stays single."""
    target, source, _ = pairs(n=12)
    many = np.tile(target, (50, 1))
    fitted = clone(method).fit(target, X_source=source)
    whole = fitted.transform(many)
    np.testing.assert_allclose(whole[-12:], fitted.transform(target), rtol=1e-12, atol=1e-12)
    single = fitted.transform(many.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, whole, atol=1e-5)  # single precision


@each
def test_in_a_pipeline(method):
    """A fitted transformer before a fitted model, and a frozen one in a pipeline that is fitted."""
    target, source, contents = pairs(n=40)
    fitted = clone(method).fit(target, X_source=source)
    model = Ridge(1e-3).fit(source, contents[:, 0])
    before = make_pipeline(fitted, model).predict(target)
    assert np.array_equal(before, model.predict(fitted.transform(target)))
    frozen = make_pipeline(FrozenEstimator(fitted), Ridge(1e-3)).fit(target, contents[:, 0])
    assert np.array_equal(frozen[0].transform(target), fitted.transform(target))
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).transform(target), fitted.transform(target))


@pytest.mark.filterwarnings("ignore::deep_chemometrics.checks.SpectrumWarning")  # scikit-learn gives no pairs
@parametrize_with_checks(STANDARDIZATIONS)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


class _MeanOfChannels(LinearRegression):
    """A calibration that needs no fit, of any number of channels."""

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict(self, X):
        return np.asarray(X).mean(axis=1)


def _needs_training(estimator):
    return {"check_regressors_train": "a bias alone does not fit the data of this check"}


@parametrize_with_checks([SlopeBias(_MeanOfChannels())], expected_failed_checks=_needs_training)
def test_scikit_learn_contract_of_slope_bias(estimator, check):
    check(estimator)


def calibration():
    target, source, contents = pairs(n=60)
    return Ridge(1e-3).fit(source, contents[:, 0]), target, contents[:, 0]


def test_bias_is_the_mean_error():
    model, target, y = calibration()
    corrected = SlopeBias(model).fit(target[:10], y[:10])
    error = model.predict(target[:10]) - y[:10]
    np.testing.assert_allclose(corrected.predict(target), model.predict(target) - error.mean())
    assert corrected.slope_ == 1


def test_slope_is_that_of_a_line():
    model, target, y = calibration()
    corrected = SlopeBias(model, slope=True).fit(target[:30], y[:30])
    predicted = model.predict(target)
    slope, offset = np.polyfit(predicted[:30], y[:30], 1)
    with pytest.warns(SpectrumWarning, match="extrapolated") as caught:
        found = corrected.predict(target)
    np.testing.assert_allclose(found, slope * predicted + offset, atol=1e-10)
    outside = np.flatnonzero((predicted < predicted[:30].min()) | (predicted > predicted[:30].max()))
    assert f"{outside[0]}" in str(caught[0].message)


def test_slope_bias_refuses():
    model, target, y = calibration()
    with pytest.raises(ValueError, match="fit it on the source instrument"):
        SlopeBias(Ridge()).fit(target, y)
    with pytest.raises(ValueError, match="one target at a time"):
        SlopeBias(model).fit(target, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="at least 2 transfer samples"):
        SlopeBias(model, slope=True).fit(target[:1], y[:1])
    two = Ridge().fit(target, np.column_stack([y, y]))
    with pytest.raises(ValueError, match="one target at a time"):
        SlopeBias(two).fit(target, y)


def test_a_frozen_calibration_survives_a_clone():
    model, target, y = calibration()
    held = clone(SlopeBias(FrozenEstimator(model))).fit(target[:5], y[:5])
    np.testing.assert_array_equal(held.predict(target), SlopeBias(model).fit(target[:5], y[:5]).predict(target))


def slow_kennard_stone(distance, n):
    """Straight from the description, with all distances."""
    chosen = sorted(np.unravel_index(distance.argmax(), distance.shape))
    while len(chosen) < n:
        rest = [i for i in range(len(distance)) if i not in chosen]
        chosen.append(max(rest, key=lambda i: min(distance[i, j] for j in chosen)))
    return chosen[:n]


@pytest.mark.parametrize("n", [1, 2, 7, 60])
def test_selection_as_described(n):
    X, _, contents = pairs(n=60)
    y = contents[:, 0]
    dx = np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2))
    dy = np.abs(y[:, None] - y[None])
    assert select_samples(X, n).tolist() == slow_kennard_stone(dx, n)
    spxy = select_samples(X, n, "spxy", y=y)
    assert spxy.tolist() == slow_kennard_stone(dx / dx.max() + dy / dy.max(), n)


def test_selection_in_portions_and_at_random():
    X = np.random.default_rng(0).normal(size=(600, 3))
    dx = np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2))
    assert select_samples(X, 5).tolist() == slow_kennard_stone(dx, 5)
    drawn = select_samples(X, 50, "random", random_state=1)
    assert len(set(drawn.tolist())) == 50
    assert np.array_equal(drawn, select_samples(X, 50, "random", random_state=1))


def test_selection_of_equal_samples():
    assert sorted(select_samples(np.ones((4, 3)), 4).tolist()) == [0, 1, 2, 3]
    assert select_samples(np.ones((1, 3)), 1).tolist() == [0]
    assert sorted(select_samples(np.ones((4, 3)), 3, "spxy", y=np.ones(4)).tolist()) == [0, 1, 2]


def test_selection_refuses():
    X = pairs()[0]
    with pytest.raises(ValueError, match="choose at most 12"):
        select_samples(X, 13)
    with pytest.raises(ValueError, match="needs y"):
        select_samples(X, 3, "spxy")
    with pytest.raises(ValueError, match="kennard_stone"):
        select_samples(X, 3, "duplex")
    with pytest.raises(ValueError, match="n_samples"):
        select_samples(X, 0)
