"""The applicability domain: against chemotools' T2 and Q of the same principal components, and odd input."""

import numpy as np
import pytest
from chemotools.outliers import HotellingT2, QResiduals
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from deep_chemometrics.calibration import ApplicabilityDomain


@parametrize_with_checks([ApplicabilityDomain(), ApplicabilityDomain(2, level=0.9, cv=3)])
def test_contract_of_scikit_learn(estimator, check):
    check(estimator)


def spectra(n=120, p=30, rank=5, seed=0):
    rng = np.random.default_rng(seed)
    pure = np.random.default_rng(99).normal(size=(rank, p))
    return 3 + rng.normal(size=(n, rank)) @ pure + 0.05 * rng.normal(size=(n, p))


@pytest.mark.parametrize("n", [120, 400])  # the second takes the other algorithm
def test_distances_are_those_of_chemotools(n):
    X, new = spectra(n), spectra(40, seed=1) * 1.1
    domain, pca = ApplicabilityDomain(4).fit(X), PCA(4, svd_solver="full").fit(X)
    found = domain.distances(new) * domain.limits_
    t2 = HotellingT2(pca).fit(X).predict_residuals(new)
    q = QResiduals(pca).fit(X).predict_residuals(new)
    np.testing.assert_allclose(found, np.column_stack([np.ravel(t2), np.ravel(q)]), rtol=1e-8)  # another algorithm


def test_limits_are_quantiles_of_spectra_left_out():
    """Written out for leave-one-out, where nothing is drawn."""
    X = spectra(25)
    domain = ApplicabilityDomain(3, level=0.8, cv=25).fit(X)
    left_out = []
    for i in range(25):
        pca = PCA(3, svd_solver="full").fit(np.delete(X, i, axis=0))
        scores = pca.transform(X[[i]])
        rest = X[i] - pca.inverse_transform(scores)[0]
        left_out.append([(scores[0] ** 2 / pca.explained_variance_).sum(), (rest**2).sum()])
    np.testing.assert_allclose(domain.limits_, np.sort(left_out, axis=0)[20], rtol=1e-8)  # 0.8 of 24 steps, upwards


def test_inside_is_as_often_as_promised():
    """Two quantiles of 3000 spectra, each known to a standard deviation of 0.004."""
    domain = ApplicabilityDomain(5, level=0.95).fit(spectra(3000))
    shares = (domain.distances(spectra(20000, seed=5)) <= 1).mean(axis=0)
    assert np.abs(shares - 0.95).max() < 0.016


def test_answers_agree_with_one_another():
    X = spectra()
    domain = ApplicabilityDomain().fit(X)
    new = np.vstack([X, X[:3] + 5])
    assert np.array_equal(domain.score_samples(new), -domain.distances(new).max(axis=1))
    assert np.array_equal(domain.predict(new) == 1, domain.distances(new).max(axis=1) <= 1)
    assert (domain.predict(new[-3:]) == -1).all()
    assert np.array_equal(clone(domain).fit(X).limits_, domain.limits_), "same seed, same folds"


def test_groups_stay_together():
    X = np.repeat(spectra(20), 6, axis=0)
    groups = np.repeat([f"tablet {i}" for i in range(20)], 6)
    apart, mixed = (ApplicabilityDomain(15).fit(X, groups=g).limits_ for g in (groups, None))
    assert apart[1] > 3 * mixed[1], "its own copies have shaped the plane"


@pytest.mark.parametrize("X", [np.ones((6, 4)), np.zeros((5, 3)), np.eye(4), np.ones((2, 1))])
def test_degenerate_spectra_have_finite_distances(X):
    """Nothing varies, or everything does: training spectra are inside, others outside, and no NaN."""
    domain = ApplicabilityDomain(level=1).fit(X)
    assert np.isfinite(domain.distances(X + 1)).all()
    if np.ptp(X, axis=0).max() == 0:
        assert (domain.predict(X) == 1).all() and (domain.predict(X + 1) == -1).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_components": 0}, "n_components=0"),
        ({"level": 0}, "level=0"),
        ({"level": 1.5}, "level=1.5 must be at most 1"),
        ({"cv": 1}, "cv=1"),
    ],
)
def test_odd_parameters(options, words):
    with pytest.raises(ValueError, match=words):
        ApplicabilityDomain(**options).fit(spectra())


def test_odd_data():
    X = spectra()
    with pytest.raises(ValueError, match="n_samples=1"):
        ApplicabilityDomain().fit(X[:1])
    with pytest.raises(ValueError, match="1 group"):
        ApplicabilityDomain().fit(X, groups=np.zeros(len(X)))
    with pytest.raises(ValueError, match="one value a spectrum"):
        ApplicabilityDomain().fit(X, groups=[1, 2])
    domain = ApplicabilityDomain().fit(X)
    with pytest.raises(ValueError, match="NaN"):
        domain.predict(np.where(np.arange(X.size).reshape(X.shape) == 7, np.nan, X))
    with pytest.raises(ValueError, match="30 features"):
        domain.distances(X[:, :7])


def test_file_of_a_domain(tmp_path):
    X = spectra()
    domain = ApplicabilityDomain(3, level=0.9).fit(X)
    loaded = ApplicabilityDomain.load(domain.save(tmp_path / "domain.npz"))
    assert np.array_equal(loaded.distances(X), domain.distances(X)) and loaded.level == 0.9
    with pytest.raises(ValueError, match="features"):
        loaded.predict(X[:, :5])
    with pytest.raises(ValueError, match=r"has to end in \.npz"):
        domain.save(tmp_path / "domain.pkl")
    with pytest.raises(NotFittedError):
        ApplicabilityDomain().save(tmp_path / "a.npz")
    with pytest.raises(FileNotFoundError):
        ApplicabilityDomain.load(tmp_path / "none.npz")
    np.savez(tmp_path / "other.npz", mean_=np.ones(3))
    np.savez(tmp_path / "object.npz", mean_=np.array([{}], dtype=object))
    np.save(tmp_path / "array.npz", np.ones(3))
    (tmp_path / "text.npz").write_text("no archive")
    (tmp_path / "array.npz.npy").rename(tmp_path / "array.npz")
    for name in ("other", "object", "array", "text"):
        with pytest.raises(ValueError, match=f"'{name}.npz' holds no domain"):
            ApplicabilityDomain.load(tmp_path / f"{name}.npz")


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("change", ["cut", "zeros", "noise"])
def test_damaged_file_of_a_domain_is_named(tmp_path, at, change):
    path = ApplicabilityDomain(3).fit(spectra()).save(tmp_path / "domain.npz")
    content = bytearray(path.read_bytes())
    at = int(at * len(content))
    if change == "cut":
        del content[at:]
    else:
        content[at : at + 40] = bytes(40) if change == "zeros" else np.random.default_rng(0).bytes(40)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"'domain.npz' holds no domain, or is damaged: domain.npz"):
        ApplicabilityDomain.load(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mean_", np.full(30, np.nan)),
        ("mean_", np.zeros(29)),
        ("limits_", np.ones(3)),
        ("variances_", np.ones((3, 1))),
        ("components_", np.array([["a"] * 30] * 3)),
        ("level", np.array(["much"])),
    ],
)
def test_file_of_a_domain_with_arrays_that_do_not_fit(tmp_path, name, value):
    path = ApplicabilityDomain(3).fit(spectra()).save(tmp_path / "domain.npz")
    arrays = dict(np.load(path)) | {name: value}
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=r"'domain.npz' holds no domain, or is damaged"):
        ApplicabilityDomain.load(path)


def test_file_of_a_domain_that_would_fill_the_memory(tmp_path):
    path = ApplicabilityDomain(3).fit(spectra()).save(tmp_path / "domain.npz")
    arrays = dict(np.load(path)) | {"components_": np.zeros((3, 10_000_000))}
    np.savez_compressed(path, **arrays)
    with pytest.raises(ValueError, match="what it holds, unpacked, claims 240,"):
        ApplicabilityDomain.load(path)
