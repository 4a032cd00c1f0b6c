"""Heat maps, assignments and panels of explanations: what is drawn is what was given, and what is refused."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from deep_chemometrics.plotting import annotate_bands, plot_attribution, plot_attribution_map, plot_attribution_methods
from deep_chemometrics.plotting.spectra import set_spectral_axis

RNG = np.random.default_rng(0)
AXIS = np.cumsum(RNG.uniform(1, 3, 30)) + 400  # uneven
MAP = RNG.normal(size=(8, 30))


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def drawn(ax):
    return ax.collections[0].get_array().reshape(MAP.shape)


def test_the_map_shows_every_number_where_it_belongs():
    ax = plot_attribution_map(MAP, AXIS, "wavenumber", "cm-1", unit="%")
    assert np.array_equal(drawn(ax), MAP)
    corners = ax.collections[0].get_coordinates()
    assert ((corners[0, :-1, 0] < AXIS) & (AXIS < corners[0, 1:, 0])).all()
    assert np.array_equal(corners[:, 0, 1], np.arange(9) - 0.5)
    assert ax.get_xlim() == (AXIS[-1], AXIS[0]) and ax.figure.axes[1].get_ylabel() == "attribution / %"


def test_rows_are_ordered_by_numbers_or_by_similarity():
    order = RNG.permutation(8) / 4
    ax = plot_attribution_map(MAP, order_by=order)
    assert np.array_equal(drawn(ax), MAP[np.argsort(order)])
    assert [label.get_text() for label in ax.get_yticklabels()][::4] == ["0", "1.75"]
    hidden = np.outer(order - 0.3, np.ones(30)) + 1e-3 * MAP  # one direction, which the rows go along
    ax = plot_attribution_map(hidden, order_by="similarity")
    assert np.array_equal(drawn(ax), hidden[np.argsort(order)]), "upwards, since the mean of the map is above zero"


@pytest.mark.parametrize("clip, ends", [(100, "neither"), (90, "both")])
def test_colours_are_symmetric_and_say_where_they_end(clip, ends):
    ax = plot_attribution_map(MAP, clip=clip)
    low, high = ax.collections[0].get_clim()
    assert low == -high and high == pytest.approx(np.percentile(np.abs(MAP), clip))
    assert ax.collections[0].colorbar.extend == ends


@pytest.mark.parametrize("values", [np.zeros((3, 5)), np.ones((1, 1)), np.ones((1, 4))])
@pytest.mark.parametrize("order_by", [None, "similarity"])
def test_maps_of_nothing_and_of_one(values, order_by):
    ax = plot_attribution_map(values, order_by=order_by)
    ax.figure.draw_without_rendering()
    assert np.isfinite(ax.collections[0].get_clim()).all()


@pytest.mark.parametrize(
    "wrong",
    [dict(order_by=np.arange(7)), dict(order_by="size"), dict(order_by=[np.nan] * 8), dict(clip=0), dict(clip=100.1),
     dict(axis=AXIS[:-1])],
)  # fmt: skip
def test_maps_that_cannot_be(wrong):
    with pytest.raises(ValueError):
        plot_attribution_map(MAP, **wrong)


@pytest.mark.parametrize("axis_name", ["wavelength", "wavenumber"])
@pytest.mark.parametrize("layout", ["constrained", None])
def test_no_name_covers_another_nor_the_title(axis_name, layout):
    figure, ax = plt.subplots(figsize=(5, 3), layout=layout)
    set_spectral_axis(ax, np.linspace(400, 800, 9), axis_name, "nm")
    ax.set_title("a title")
    names = {f"assignment {i}": (400 + 20 * i, 470 + 20 * i) for i in range(12)}
    texts = annotate_bands(ax, names)
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in (*texts, ax.title)]
    assert len(texts) == 12 and not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    top = ax.get_window_extent().y1
    assert all(box.y0 >= top for box in boxes)


def test_assignments_are_shaded_where_they_are_and_cut_at_the_limits():
    ax = plt.subplots()[1]
    ax.set_xlim(0, 10)
    texts = annotate_bands(ax, {"a": (3, 1), "b": [(5, 6), (9, 12)], "outside": (20, 30)}, colors=["red"])
    spans = sorted(patch.get_extents().transformed(ax.transData.inverted()).intervalx.tolist() for patch in ax.patches)
    assert np.allclose(spans, [(1, 3), (5, 6), (9, 10)])
    assert [text.get_text() for text in texts] == ["a", "b", "b"] and tuple(texts[0].get_color()) == (0.65, 0, 0)


@pytest.mark.parametrize("wrong", [{}, {"a": 3}, {"a": (1, 2, 3)}, {"a": []}, {"a": (1, np.nan)}, [(1, 2)]])
def test_assignments_that_are_none(wrong):
    with pytest.raises(ValueError):
        annotate_bands(plt.subplots()[1], wrong)


def test_panels_of_methods_and_names_on_a_coloured_spectrum():
    axes = plot_attribution_methods(MAP[0], {"many": MAP, "one": MAP[1]}, AXIS, "wavenumber", "cm-1")
    assert np.allclose(axes[1].lines[0].get_ydata(), MAP.mean(axis=0))
    assert np.allclose(axes[2].lines[0].get_ydata(), MAP[1]) and axes[1].get_ylabel() == "many"
    assert axes[2].get_xlim() == (AXIS[-1], AXIS[0])
    assert len(annotate_bands(plot_attribution(MAP[0], MAP, AXIS)[0], {"here": (410, 420)})) == 1
    for wrong in ({}, {"short": MAP[:, 1:]}, {"nan": MAP * np.nan}):
        with pytest.raises(ValueError):
            plot_attribution_methods(MAP[0], wrong, AXIS)
