"""The inspector of bands, driven by the values of its controls; exact where the model is linear."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from deep_chemometrics.explanation import bands, inspect_bands
from deep_chemometrics.networks import ScatterCorrection
from deep_chemometrics.networks.backend import keras

N, RNG = 24, np.random.default_rng(0)
X = RNG.normal(size=(9, N)).cumsum(axis=1)
W, AXIS = RNG.normal(size=N), 1000 + 10.0 * np.arange(N)
KNOWN = RNG.normal(size=(60, N))
LINEAR = LinearRegression().fit(KNOWN, KNOWN @ W)
STATE = dict(sample=2, method="integrated_gradients", band=1, fill="mean")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def inspector():
    return inspect_bands(LINEAR, X, AXIS, "wavenumber", "cm-1", bands=6, unit="mg")


@pytest.mark.parametrize("band", range(6))
def test_of_a_linear_model_the_effect_is_the_contribution(inspector, band):
    part, contributions = slice(4 * band, 4 * band + 4), W * (X[3] - X.mean(axis=0))
    before, after = inspector.effect(3, band)
    assert before == pytest.approx(LINEAR.predict(X[[3]])[0])
    assert before - after == pytest.approx(contributions[part].sum())
    for method in ("integrated_gradients", "occlusion"):
        assert inspector.bands.sums(inspector.attribution(3, method))[band] == pytest.approx(before - after)
    assert f"({after - before:+.3g})" in inspector.text(3, band=band) and " mg " in inspector.text(3, band=band)
    assert inspector.effect(3, band, "zero")[1] == pytest.approx(before - W[part] @ X[3, part])


def test_the_figure_shows_the_state(inspector):
    figure = inspector.figure(**STATE | {"fill": "interpolate"})
    top, middle, bottom = figure.axes
    assert top.get_title() == inspector.text(**STATE | {"fill": "interpolate"})
    lines = {line.get_label(): line.get_ydata() for line in top.lines}
    assert np.array_equal(lines["sample 2"], X[2])
    hole = lines["filled: interpolate"]
    assert np.array_equal(np.flatnonzero(np.isfinite(hole)), np.arange(3, 9)), "the band and its edges"
    assert np.allclose(np.diff(hole[3:9], 2), 0, atol=1e-9)
    assert np.allclose(middle.lines[0].get_ydata(), W * (X[2] - X.mean(axis=0)))
    changes = [inspector.effect(2, k, "interpolate") for k in range(6)]
    assert np.allclose([bar.get_height() for bar in bottom.patches[:6]], [after - before for before, after in changes])
    assert bottom.get_xlim() == (AXIS[-1], AXIS[0])


def test_without_a_band_the_strongest_is_taken(inspector):
    strongest = np.abs(inspector.attribution(4)).reshape(6, 4).sum(axis=1).argmax()
    assert inspector.text(4) == inspector.text(4, band=int(strongest))


def test_a_notebook_shows_a_picture_and_no_figure_twice(inspector):
    assert inspector._repr_png_()[:4] == b"\x89PNG" and plt.get_fignums() == []


def test_a_control_changes_text_and_picture(inspector):
    pytest.importorskip("ipywidgets")
    box = inspector.live(**STATE)
    assert {name: control.value for name, control in box.controls.items()} == STATE
    assert box.text.value == inspector.text(**STATE) and box.picture.value[:4] == b"\x89PNG"
    state, seen = dict(STATE), [box.picture.value]
    for name, value in {"band": 4, "fill": "zero", "sample": 0, "method": "gradient"}.items():
        box.controls[name].value = state[name] = value
        assert box.text.value == inspector.text(**state), name
        assert box.picture.value not in seen, name
        seen.append(box.picture.value)
    box.controls["method"].value = STATE["method"]
    for name in ("sample", "band", "fill"):
        box.controls[name].value = STATE[name]
    assert box.text.value == inspector.text(**STATE)


def test_a_unit_is_text_among_the_controls():
    pytest.importorskip("ipywidgets")
    unit = "<script>alert(1)</script>"
    box = inspect_bands(LINEAR, X, AXIS, unit, "cm-1", bands=6, unit=unit).live(**STATE)
    assert "<" not in box.text.value and "&lt;script&gt;" in box.text.value


def test_without_ipywidgets_the_figure_is_there_and_the_controls_name_the_extra(inspector, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    assert len(inspector.figure().axes) == 3
    with pytest.raises(ImportError, match=r"deep_chemometrics\[inspect\]"):
        inspector.live()


def test_the_stored_notebook_has_a_figure_and_no_widget():
    notebook = json.loads(
        (Path(__file__).parents[2] / "nbs" / "library" / "explanation" / "16_inspector.ipynb").read_text("utf-8")
    )
    kinds = {
        kind for cell in notebook["cells"] for output in cell.get("outputs", []) for kind in output.get("data", {})
    }
    assert "image/png" in kinds and not any("widget" in kind for kind in kinds)
    assert "widgets" not in notebook["metadata"]


def test_where_scatter_is_corrected_no_hole_of_zero():
    layers = [keras.layers.Input((N,)), ScatterCorrection(0).adapt(X), keras.layers.Dense(2)]
    inspector = inspect_bands(keras.Sequential(layers), X, bands=bands(N, n=4), target=1)
    assert inspector.fills == ("mean", "interpolate") and inspector.text().startswith(("-", "0", "6", "12", "18"))
    with pytest.raises(ValueError, match="fill"):
        inspector.effect(0, 0, "zero")
    assert inspector.effect(0)[0] == pytest.approx(float(inspector.model(X[:1].astype("float32"))[0, 1]), abs=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [dict(axis=AXIS[1:]), dict(bands=bands(N - 1, n=3)), dict(bands=0), dict(methods="occlusion"), dict(methods=[]),
     dict(methods=["guess"]), dict(baseline=np.ones(3)), dict(target=1), dict(output="log_odds")],
)  # fmt: skip
def test_inspectors_that_cannot_be(wrong):
    with pytest.raises(ValueError):
        inspect_bands(LINEAR, X, **wrong)


@pytest.mark.parametrize(
    "wrong", [dict(sample=9), dict(band=6), dict(method="shapley"), dict(fill="white"), dict(sample=-1)]
)
def test_states_that_cannot_be(inspector, wrong):
    for ask in (inspector.text, inspector.figure, inspector.live):
        with pytest.raises(ValueError):
            ask(**wrong)
