"""The study of explanations on measured spectra: matching, physical changes, stored means."""

import numpy as np
import pandas as pd

from deep_chemometrics.data.line_list import line_spectra, load_lines
from deep_chemometrics.infrared.preparation import GROUP_AXIS, normalise_infrared
from studies import measured_explanations as study
from studies.run import results_folder


def spectrum(bands):
    heights = [h * np.exp(-(((GROUP_AXIS - p) / 12) ** 2)) for p, h in bands]
    return np.sum(heights, axis=0)


def test_bands_are_matched_in_order_and_within_reach():
    x = spectrum([(700, 0.5), (1210, 0.4), (1740, 1.0)])
    y = spectrum([(716, 0.5), (1190, 0.5), (1756, 1.0), (3000, 0.4)])
    found = [(GROUP_AXIS[i], GROUP_AXIS[j]) for i, j in study.match_bands(x, y)]
    assert np.allclose(found, [(700, 716), (1210, 1190), (1740, 1756)], atol=2)
    assert study.match_bands(x, spectrum([(1000, 1.0)])) == []


def test_matching_finds_the_group_of_shifted_bands():
    accuracy = study.matching_accuracy(load_lines()[:30])
    assert accuracy["matched"] > 0.6 and accuracy["right"] > 0.9


def test_changes_are_physical_and_cut_bands_add_up():
    x = normalise_infrared(line_spectra(load_lines()[[5]], GROUP_AXIS))[0]
    x = np.maximum(x, 0)
    parts = study.cut_into_bands(x)
    assert len(parts) > 3 and np.allclose(parts.sum(axis=0), x)
    changes, rows = study._candidates(parts, [*range(len(parts))])
    assert len(changes) == len(rows) == len(parts) * 12 and rows.min() >= 0 and np.isclose(rows.max(axis=1), 1).all()
    assert study.change_size(1.0, 15) == study.change_size(2.0, 0) == study.change_size(0.5, 0) == 1


def test_stored_results_are_means_without_any_molecule():
    folder = results_folder("measured_explanations")
    scores = pd.read_parquet(folder / "scores.parquet")
    assert set(scores) == {"model", "seed", "method", "group", "n", "band_auc"}
    windows = pd.read_parquet(folder / "patterns.parquet")
    assert windows.groupby("seed").size().min() > 50 and study.N_EACH >= 50
    changes = pd.read_parquet(folder / "counterfactuals.parquet")
    assert changes.groupby("margin").size().tolist() == [2 * study.N_SPECTRA] * 3
    occluded = pd.read_parquet(folder / "windows.parquet")
    columns = {"model", "seed", "group", "centre", "importance", "beside the mean", "listed", "weight"}
    assert set(occluded) == columns and set(occluded.groupby(["model", "seed", "group"]).size()) == {study.N_WINDOWS}


def test_windows_and_weight_maps_have_the_right_axis():
    """C#N of nitriles and O-H of alcohols, narrow bands in their own place."""
    occluded = pd.read_parquet(results_folder("measured_explanations") / "windows.parquet")
    mean = occluded.groupby(["model", "group", "centre"])[["importance", "weight"]].mean()
    for model, column in (("group_net", "importance"), ("FGANet", "importance"), ("FGANet", "weight")):
        assert abs(mean.loc[model, "nitrile"][column].idxmax() - 2250) < 34
    assert abs(mean.loc["FGANet", "alcohol"]["weight"].idxmax() - 3640) < 68
