"""What every module asks of its input: the checks themselves, and a table of bad and odd input for what uses them.

Preprocessing, PLS, the estimators and the explanations have tables of their own in their files.
"""

import re
import warnings

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from deep_chemometrics.augmentation import augment_scatter
from deep_chemometrics.augmentation.arrays import spectral_scale
from deep_chemometrics.checks import (
    RowTransformer,
    SpectrumWarning,
    check_axis,
    check_count,
    check_finite,
    check_number,
    check_option,
    check_spectra,
    check_target,
    is_rounding,
    name_rows,
    validate_spectra,
)
from deep_chemometrics.plotting import plot_activations, plot_attribution, plot_predictions, plot_rmsecv, plot_spectra
from deep_chemometrics.plotting.spectra import set_spectral_axis


@pytest.fixture(autouse=True)
def nothing_else_warns():
    """Neither numpy nor matplotlib has a reason to: odd input is met before it reaches them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # what libraries say to each other
        yield
    plt.close("all")


def spectra(n=6, p=9):
    return 1 + np.random.default_rng(0).random((n, p))


def holed(value, n=6, p=9):
    X = spectra(n, p)
    X[4, 3] = X[5, 0] = value
    return X


NOT_FINITE = [
    (np.nan, "contains NaN: first at row 4, channel 3; 2 of 6 rows affected"),
    (np.inf, "contains infinity: first at row 4, channel 3; 2 of 6 rows affected"),
    (-np.inf, "contains infinity: first at row 4, channel 3; 2 of 6 rows affected"),
]


# -- The checks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([3], "row 3"),
        ([0, 2], "rows 0, 2"),
        (range(5), "rows 0, 1, 2, 3, 4"),
        (range(6), "rows 0, 1, 2, 3, 4 and 1 more"),
        (np.flatnonzero([0, 1, 1]), "rows 1, 2"),
        ((row for row in (7, 8)), "rows 7, 8"),
    ],
)
def test_rows_in_words(rows, words):
    assert name_rows(rows) == words


def test_warning_can_be_told_from_others():
    assert issubclass(SpectrumWarning, UserWarning)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("bad", "words"), NOT_FINITE)
def test_not_finite_is_found(bad, words, dtype):
    with pytest.raises(ValueError, match=f"spectra {words}"):
        check_finite(holed(bad).astype(dtype), "spectra")


@pytest.mark.parametrize("first, then", [(np.nan, np.inf), (np.inf, np.nan), (np.inf, -np.inf)])
def test_what_stands_at_the_first_place_is_named(first, then):
    X = spectra()
    X[2, 5], X[3, 1] = first, then
    kind = "NaN" if np.isnan(first) else "infinity"
    with pytest.raises(ValueError, match=f"X contains {kind}: first at row 2, channel 5"):
        check_finite(X)


def test_one_dimension_has_values_not_rows():
    with pytest.raises(ValueError, match="axis contains NaN: first at value 2; 1 of 4 values affected"):
        check_finite(np.array([0, 1, np.nan, 3]), "axis")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_large_is_not_infinite(dtype):
    large = np.full((3, 4), np.finfo(dtype).max, dtype)
    check_finite(large)
    check_finite(-large)
    check_finite(large * np.array([1, -1, 1, -1], dtype))


def test_the_place_does_not_depend_on_the_layout():
    with pytest.raises(ValueError, match="row 4, channel 3"):
        check_finite(np.asfortranarray(holed(np.nan)))
    with pytest.raises(ValueError, match="row 4, channel 3"):
        check_finite(np.repeat(holed(np.nan), 2, axis=0)[::2])


@pytest.mark.parametrize(
    ("given", "dtype"),
    [
        ([[1, 2], [3, 4]], "float64"),
        (np.array([[1, 2], [3, 4]], "int16"), "float64"),
        (np.array([[True, False]]), "float64"),
        (np.ones((2, 2), "float16"), "float64"),
        (np.ones((2, 2), "float32"), "float32"),
        (np.ones((2, 2), ">f8"), "float64"),
        (pd.DataFrame({"a": [1, 2], "b": [0.5, 1]}), "float64"),
        (pd.DataFrame({"a": [1, 2], "b": [0.5, 1]}).astype("Float64"), "float64"),
        (pd.DataFrame({"a": [1, 2]}).astype("object"), "float64"),
    ],
    ids=str,
)
def test_numbers_of_all_kinds_are_welcome(given, dtype):
    X = check_spectra(given)
    assert isinstance(X, np.ndarray) and X.dtype == dtype
    assert np.array_equal(X, np.asarray(given, dtype=float))


WRONG_SPECTRA = [
    (np.ones(9), "Reshape your data"),
    (5.0, "scalar"),
    (np.ones((2, 9, 1)), "dim 3"),
    (np.ones((0, 9)), "0 sample"),
    (np.ones((2, 0)), "0 feature"),
    ([], "Reshape your data|0 sample"),
    ([["high"] * 9], "could not convert"),
    ([[1, 2], [3]], "inhomogeneous"),
    (np.ones((2, 9)) * 1j, "Complex data"),
    (pd.DataFrame({"a": [1.0, None], "b": [1.0, 2.0]}).astype("Float64"), "NaN: first at row 1, channel 0"),
    ([[None] * 9], "NaN: first at row 0, channel 0"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG_SPECTRA, ids=lambda value: str(value)[:30])
def test_not_spectra(wrong, words):
    with pytest.raises(ValueError, match=words):
        check_spectra(wrong)


def test_other_limits():
    with pytest.raises(ValueError, match="reference has 9 channels, but 8 are expected"):
        check_spectra(spectra(), "reference", n_channels=8)
    with pytest.raises(ValueError, match="minimum of 7 is required"):
        check_spectra(spectra(), min_samples=7)


@pytest.mark.parametrize(
    ("y", "shape"),
    [
        ([1, 2, 3], (3, 1)),
        ((1.0, 2.0, 3.0), (3, 1)),
        (pd.Series([1, 2, 3], index=[9, 8, 7]), (3, 1)),
        (np.ones((3, 2), "float32"), (3, 2)),
        (pd.DataFrame({"assay": [1, 2, 3]}), (3, 1)),
        ([True, False, True], (3, 1)),
    ],
    ids=str,
)
def test_targets_are_columns(y, shape):
    checked = check_target(y, 3)
    assert checked.shape == shape and checked.dtype == np.float64


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (None, "requires content to be passed, but the target content is None"),
        (5.0, r"content has shape \(\)"),
        ("assay", r"content has shape \(\)"),
        ([], r"content has shape \(0,\)"),
        (np.ones((3, 0)), r"content has shape \(3, 0\)"),
        (np.ones((3, 1, 1)), "dim 3"),
        ([1, 2], "content has 2 rows but there are 3 spectra"),
        ([1, np.nan, 3], "content contains NaN: first at row 1, channel 0"),
        ([1, 2, -np.inf], "content contains infinity: first at row 2"),
        (["a", "b", "c"], "could not convert"),
        ([[1, 2], [3], [4]], "inhomogeneous"),
        (np.ones(3) * 1j, "Complex data"),
    ],
    ids=str,
)
def test_not_targets(y, words):
    with pytest.raises(ValueError, match=words):
        check_target(y, 3, "content")


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        ([1, 2], r"positions has shape \(2,\), but the spectra have 3 channels"),
        ([[1, 2, 3]], r"shape \(1, 3\)"),
        (2.0, r"shape \(\)"),
        (None, r"shape \(\)"),
        ([1, np.nan, 3], "positions contains NaN: first at value 1"),
        ([1, 2, np.inf], "positions contains infinity: first at value 2"),
        ([3, 2, 1], "must ascend, but goes from 3 to 2 at channel 1"),
        ([1, 3, 3], "must ascend, but goes from 3 to 3 at channel 2"),
        (["a", "b", "c"], "could not convert"),
    ],
    ids=str,
)
def test_not_an_axis(axis, words):
    with pytest.raises(ValueError, match=words):
        check_axis(axis, 3, "positions")


def test_axes():
    assert check_axis(pd.Index([600, 602, 604]), 3).dtype == np.float64
    assert check_axis(range(3), 3).tolist() == [0, 1, 2] and check_axis([-1e-300], 1).shape == (1,)


def test_options_counts_and_numbers():
    assert check_option("min", ("min", "max"), "rule") == "min"
    for wrong in ("Min", "", None, 1):
        with pytest.raises(ValueError, match=re.escape(f"rule={wrong!r} is unknown: choose one of 'min', 'max'")):
            check_option(wrong, ("min", "max"), "rule")
    assert check_count(np.uint8(3), "order") == 3 and type(check_count(np.uint8(3), "order")) is int
    for wrong in (-1, 2.0, np.float64(2), "2", None, True, np.True_, [2]):
        with pytest.raises(ValueError, match=re.escape(f"order={wrong!r} must be an integer of at least 0")):
            check_count(wrong, "order")
    assert check_number(0, "gain") == 0 and type(check_number(np.float32(0.5), "gain")) is float
    for wrong in (-1e-9, np.nan, np.inf, "0.1", None, True, [0.1], np.array([0.1]), 1j):
        with pytest.raises(ValueError, match=re.escape(f"gain={wrong!r} must be a finite number of at least 0")):
            check_number(wrong, "gain")
    with pytest.raises(ValueError, match="delta=0 must be a finite number above 0"):
        check_number(0, "delta", above=True)


def test_a_spread_that_is_only_rounding():
    rng = np.random.default_rng(0)
    for dtype in ("float64", "float32"):
        eps = np.finfo(dtype).eps
        for p in (2, 100, 5000):
            for value in (0.1, 1 / 3, 1e6, 1e-30):
                constant = np.full((3, p), value, dtype)
                spread = constant.astype(float).std(axis=1)
                assert is_rounding(spread, np.abs(constant).max(axis=1), eps).all()
                # noise of a thousandth of the value is a spectrum, also in single precision
                noisy = (constant * (1 + 1e-3 * rng.normal(size=(3, p)))).astype(dtype).astype(float)
                assert not is_rounding(noisy.std(axis=1), np.abs(noisy).max(axis=1), eps).any()
    assert is_rounding(np.float64(0), np.float64(0), 2e-16) and not is_rounding(
        np.float64(1e-300), np.float64(0), 2e-16
    )


def test_validation_in_an_estimator_remembers_the_channels():
    estimator = BaseEstimator()
    frame = pd.DataFrame(spectra(), columns=[f"{nm} nm" for nm in range(9)])
    assert np.array_equal(validate_spectra(estimator, frame, reset=True), spectra())
    assert estimator.n_features_in_ == 9 and list(estimator.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names"):
        validate_spectra(estimator, frame.iloc[:, ::-1], reset=False)
    with pytest.raises(ValueError, match="X contains NaN: first at row 4, channel 3"):
        validate_spectra(estimator, frame.assign(**dict(zip(frame, holed(np.nan).T))), reset=False)
    validate_spectra(unnamed := BaseEstimator(), spectra(), reset=True)
    with pytest.raises(ValueError, match=r"8 features.*9 features"):
        validate_spectra(unnamed, spectra(6, 8), reset=False)


# -- The frame of all transformers ----------------------------------------------------------------------------------


class Halved(RowTransformer):
    """Every second channel, by half. Rows that begin with zero are odd."""

    _odd = "begins with zero"

    def _fit(self, X):
        self.seen_ = X.dtype, len(X)
        self.portions_ = []

    @property
    def _n_features_out(self):
        return (self.n_features_in_ + 1) // 2

    def _correct(self, X, out, eps):
        self.portions_.append((len(X), X.dtype, out.dtype, eps))
        np.multiply(X[:, ::2], 0.5, out=out)
        return X[:, 0] == 0


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32"])
def test_a_transformer_needs_only_two_methods(dtype):
    X = np.arange(1, 601 * 5 + 1).reshape(601, 5).astype(dtype)
    kept = "float32" if dtype == "float32" else "float64"
    transformer = Halved().fit(X)
    assert transformer.seen_ == (np.dtype(kept), 601)
    found = transformer.transform(X)
    assert found.dtype == kept and np.array_equal(found, X[:, ::2] / 2)
    rows, given, wanted, eps = zip(*transformer.portions_)
    assert sum(rows) == 601 and len(rows) > 1, "in portions"
    assert {*given, *wanted} == {np.dtype("float64")}, "computed in double precision"
    assert set(eps) == {np.finfo(kept).eps}, "with the precision of what was given"


def test_a_transformer_says_once_which_rows_are_odd():
    X = np.ones((2000, 3))
    X[[0, 255, 256, 1999]] = 0
    with pytest.warns(SpectrumWarning, match=r"^Halved: rows 0, 255, 256, 1999 begins with zero\.$") as caught:
        Halved().fit_transform(X)
    assert len(caught) == 1
    assert np.array_equal(Halved().fit(X).transform(X[1:9]), np.full((8, 2), 0.5)), "and nothing where none is"


def test_a_hole_is_found_before_anything_is_computed_of_it():
    X = np.ones((600, 3))
    X[300, 1] = np.nan
    transformer = Halved().fit(X[:9])
    with pytest.raises(ValueError, match="X contains NaN: first at row 300, channel 1; 1 of 600 rows"):
        transformer.transform(X)
    assert sum(portion[0] for portion in transformer.portions_) <= 300
    X[:] = np.finfo(float).max
    assert np.isfinite(transformer.transform(X)).all(), "large is not infinite"


# -- Bad input, function by function --------------------------------------------------------------------------------

AXIS = np.arange(9.0)
TAKE_SPECTRA = {
    "augment_scatter": augment_scatter,
    "spectral_scale": spectral_scale,
    "plot_spectra": plot_spectra,
    "plot_activations": lambda X: plot_activations(np.ones(len(X)), X),
    "plot_attribution": lambda X: plot_attribution(AXIS, X),
}


@pytest.mark.parametrize("function", TAKE_SPECTRA.values(), ids=TAKE_SPECTRA)
@pytest.mark.parametrize(("bad", "words"), NOT_FINITE)
def test_place_of_what_is_not_finite(function, bad, words):
    with pytest.raises(ValueError, match=words):
        function(holed(bad))
    assert plt.get_fignums() == [], "no empty figure is left behind"


@pytest.mark.parametrize("function", [augment_scatter, spectral_scale, plot_spectra])
@pytest.mark.parametrize(("wrong", "words"), WRONG_SPECTRA, ids=lambda value: str(value)[:30])
def test_wrong_spectra(function, wrong, words):
    with pytest.raises(ValueError, match=words):
        function(wrong)


BAD_CALLS = {
    # what an axis has to be is tested above; here only that it is required
    "plot_spectra axis": (lambda: plot_spectra(spectra(), AXIS[:8]), r"axis has shape \(8,\)"),
    "plot_spectra descending": (lambda: plot_spectra(spectra(), AXIS[::-1]), "must ascend"),
    "plot_spectra color_by": (lambda: plot_spectra(spectra(), color_by=[1, 2]), r"color_by has shape \(2,\)"),
    "plot_spectra color_by 2-D": (lambda: plot_spectra(spectra(), color_by=np.ones((6, 1))), "color_by has shape"),
    "plot_spectra color_by NaN": (
        lambda: plot_spectra(spectra(), color_by=[0.1, 0.2, np.nan, 0, 0, 0]),
        "color_by contains NaN: first at value 2",
    ),
    "plot_predictions y NaN": (
        lambda: plot_predictions([1, np.nan], {"a": [1, 2]}),
        "y contains NaN: first at row 1",
    ),
    "plot_predictions NaN": (
        lambda: plot_predictions([1, 2], {"a": [1, 2], "b": [np.inf, 1]}),
        r"predictions\['b'\] contains infinity: first at row 0",
    ),
    "plot_predictions length": (
        lambda: plot_predictions([1, 2], {"b": [1, 2, 3]}),
        r"predictions\['b'\] has 3 rows but there are 2",
    ),
    "plot_predictions two targets": (
        lambda: plot_predictions(np.ones((3, 2)), {"a": np.ones((3, 2))}),
        r"y has shape \(3, 2\): draw one target",
    ),
    "plot_predictions two predictions": (
        lambda: plot_predictions([1, 2, 3], {"a": np.ones((3, 2))}),
        r"predictions\['a'\] has shape \(3, 2\)",
    ),
    "plot_predictions empty": (lambda: plot_predictions([], {"a": []}), r"y has shape \(0,\)"),
    "plot_predictions nothing": (lambda: plot_predictions([1, 2], {}), "predictions is empty"),
    "plot_predictions scalar": (lambda: plot_predictions(1.0, {"a": 1.0}), r"y has shape \(\)"),
    "plot_rmsecv NaN": (lambda: plot_rmsecv([3, np.nan]), "rmsecv contains NaN: first at row 1"),
    "plot_rmsecv empty": (lambda: plot_rmsecv([]), r"rmsecv has shape \(0,\)"),
    "plot_rmsecv scalar": (lambda: plot_rmsecv(3.0), r"rmsecv has shape \(\)"),
    "plot_rmsecv table": (lambda: plot_rmsecv(np.ones((3, 2))), r"rmsecv has shape \(3, 2\)"),
    "plot_rmsecv se length": (lambda: plot_rmsecv([3, 2], se=[1]), "se has 1 rows but there are 2"),
    "plot_rmsecv se NaN": (lambda: plot_rmsecv([3, 2], se=[1, np.nan]), "se contains NaN: first at row 1"),
    "plot_rmsecv chosen 0": (lambda: plot_rmsecv([3, 2], chosen=0), "chosen=0 must be an integer of at least 1"),
    "plot_rmsecv chosen 3": (lambda: plot_rmsecv([3, 2], chosen=3), "chosen=3 is more than the 2 components"),
    "plot_rmsecv chosen 1.5": (lambda: plot_rmsecv([3, 2], chosen=1.5), r"chosen=1\.5"),
    "plot_activations spectrum NaN": (
        lambda: plot_activations([1, np.nan, 3], np.ones((3, 2))),
        "spectrum contains NaN: first at row 0, channel 1",
    ),
    "plot_activations spectrum 2-D": (lambda: plot_activations(spectra(), np.ones((9, 2))), "dim 3"),
    "plot_activations axis": (lambda: plot_activations(AXIS, np.ones((9, 2)), AXIS[:3]), r"axis has shape \(3,\)"),
    "plot_activations length": (lambda: plot_activations(AXIS, np.ones((5, 2))), r"positions has shape \(9,\)"),
    "plot_activations positions": (
        lambda: plot_activations(AXIS, np.ones((5, 2)), positions=np.arange(4)),
        r"positions has shape \(4,\)",
    ),
    "plot_activations labels": (
        lambda: plot_activations(AXIS, np.ones((9, 3)), labels=["a", "b"]),
        "labels has 2 entries, but there are 3 kernels",
    ),
    "plot_attribution channels": (
        lambda: plot_attribution(AXIS, np.ones(8)),
        "attribution has 8 channels, but 9 are expected",
    ),
    "plot_attribution axis": (lambda: plot_attribution(AXIS, AXIS, AXIS[::-1]), "must ascend"),
    "plot_attribution spectrum": (lambda: plot_attribution(AXIS * np.inf, AXIS), "spectrum contains"),
    "plot_attribution empty": (lambda: plot_attribution(AXIS, np.ones((0, 9))), "0 sample"),
    "augment_scatter offset": (lambda: augment_scatter(spectra(), offset=-0.1), r"offset=-0\.1"),
    "augment_scatter slope": (lambda: augment_scatter(spectra(), slope=np.nan), "slope=nan"),
    "augment_scatter gain": (lambda: augment_scatter(spectra(), gain="large"), "gain='large'"),
    "augment_scatter gain array": (lambda: augment_scatter(spectra(), gain=[0.1, 0.2]), r"gain=\[0\.1, 0\.2\]"),
    "augment_scatter copies 0": (lambda: augment_scatter(spectra(), copies=0), "copies=0"),
    "augment_scatter copies 1.5": (lambda: augment_scatter(spectra(), copies=1.5), r"copies=1\.5"),
    "augment_scatter scale": (lambda: augment_scatter(spectra(), scale=-1), "scale=-1"),
    "augment_scatter scale inf": (lambda: augment_scatter(spectra(), scale=np.inf), "scale=inf"),
    "augment_scatter random_state": (lambda: augment_scatter(spectra(), random_state="seven"), "seven"),
}


@pytest.mark.filterwarnings("ignore:invalid value encountered in multiply:RuntimeWarning")  # AXIS * inf, our own doing
@pytest.mark.parametrize(("call", "words"), BAD_CALLS.values(), ids=BAD_CALLS)
def test_bad_calls(call, words):
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=words):
        call()
    assert plt.get_fignums() == [], "no empty figure is left behind"


# -- Odd but finite: it is drawn, and nothing warns ---------------------------------------------------------------

ODD_SPECTRA = {
    "one sample": spectra(1),
    "one channel": spectra(6, 1),
    "one number": np.ones((1, 1)),
    "all the same": np.full((6, 9), 0.1),
    "zeros": np.zeros((6, 9)),
    "integers": np.arange(54).reshape(6, 9),
    "float32": spectra().astype("float32"),
    "pandas": pd.DataFrame(spectra(), index=list("fedcba"), columns=[f"{nm} nm" for nm in range(9)]),
}


@pytest.mark.parametrize("X", ODD_SPECTRA.values(), ids=ODD_SPECTRA)
class TestOddSpectra:
    def draw(self):
        plt.gcf().canvas.draw()

    def test_plot_spectra(self, X):
        ax = plot_spectra(X)
        self.draw()
        drawn = np.array([path.vertices for path in ax.collections[0].get_paths()])
        assert np.array_equal(drawn[..., 1], np.asarray(X)) and np.isfinite(ax.axis()).all()

    @pytest.mark.parametrize("kind", [float, int, str])
    def test_plot_spectra_in_colours(self, X, kind):
        plot_spectra(X, color_by=[kind(1)] * len(X), label="group")
        self.draw()

    def test_plot_activations(self, X):
        X = np.asarray(X)
        assert len(plot_activations(X[0], X.T)) == len(X) + 1
        self.draw()

    def test_plot_attribution(self, X):
        X = np.asarray(X)
        assert len(plot_attribution(X[0], X)) == len(plot_attribution(X[0], X[0])) == 2
        self.draw()

    def test_augmentation(self, X):
        augmented = augment_scatter(X, copies=2, random_state=0)
        assert augmented.shape == (2 * len(X), np.shape(X)[1]) and np.isfinite(augmented).all()
        assert spectral_scale(X) > 0


def test_odd_predictions_and_curves():
    plot_predictions([1.0], {"one": [1.0]})
    plot_predictions(pd.DataFrame({"assay": [2, 2]}), {"column": np.array([[2], [2]]), "series": pd.Series([2, 2])})
    plot_rmsecv([3.0], se=[0.0], chosen=1)
    plot_rmsecv(pd.Series([3, 2, 2], index=[1, 2, 3]), chosen=np.int64(3))
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()


def test_spectral_axis_of_one_channel_and_of_wavenumbers():
    ax = plt.subplots()[1]
    assert set_spectral_axis(ax, [1200.0]).get_xlim() == (1199.5, 1200.5)
    assert set_spectral_axis(ax, [400, 4000], "wavenumber", "cm-1").get_xlim() == (4000, 400)
    assert (
        ax.get_xlabel() == "wavenumber / cm$^{-1}$"
        and set_spectral_axis(ax, AXIS, "channel", "").get_xlabel() == "channel"
    )
