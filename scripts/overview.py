"""The picture of the README, nbs/images/overview.png: spectra of two instruments, errors, and one explanation.

`make picture`. Errors are those of the stored fits of the study of the tablets; one network is trained anew for the
explanation, with the settings of the study and its first seed (two minutes).
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from deep_chemometrics.data import SpectralDataset, load_tablets  # noqa: E402
from deep_chemometrics.explanation import attribute  # noqa: E402
from deep_chemometrics.plotting import use_style  # noqa: E402
from deep_chemometrics.plotting.spectra import PALETTE, set_spectral_axis  # noqa: E402
from deep_chemometrics.storage import written_whole  # noqa: E402
from studies import tablets as study  # noqa: E402

PICTURE = ROOT / "nbs" / "images" / "overview.png"
BLUE, ORANGE = PALETTE[:2]
MODELS = {  # on the picture -> in the study
    "PLS, raw": "PLS, least RMSECV",
    "CNN,\naugmented": "CNN, augmented",
    "PLS after\nEMSC": "PLS, least RMSECV, low-noise, EMSC 2",
}


def medians() -> dict[str, tuple[float, float]]:
    """RMSEP / mg of each model on both instruments, the median over its seeds."""
    table = study.load_results()
    found = {}
    for shown, cell in MODELS.items():
        rows = study.rows_of_cell(table, cell)
        errors = study.rmse(rows, ["instrument", "seed"]).groupby("instrument").median()
        found[shown] = (errors[1], errors[2])
    return found


def draw_spectra(ax: Axes, tablets: SpectralDataset) -> None:
    """Every tenth test tablet, as both instruments measured it, and the means of all."""
    for instrument, colour in ((2, ORANGE), (1, BLUE)):
        part = tablets.where(instrument=instrument, role="test")
        ax.plot(part.axis, part.X[::10].T, color=colour, lw=0.5, alpha=0.25)
        ax.plot(part.axis, part.X.mean(axis=0), color=colour, lw=1.8, label=f"instrument {instrument}")
    set_spectral_axis(ax, tablets.axis, "wavelength", "nm")
    ax.set(ylabel="log(1/T)", xticks=[600, 1000, 1400, 1800])
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(handles[::-1], labels[::-1], loc="upper left", fontsize=8, borderaxespad=0)


def draw_errors(ax: Axes, errors: dict[str, tuple[float, float]]) -> None:
    """Errors on both instruments, one arrow a model."""
    for row, (one, two) in enumerate(errors.values()):
        ax.plot([one, two], [row, row], color="0.6", lw=2, zorder=1)
        ax.plot(one, row, "o", color=BLUE, ms=8)
        ax.plot(two, row, "D", color=ORANGE, ms=7)
        ax.text(one * 0.87, row, f"{one:.2f}", ha="right", va="center", fontsize=9, color=BLUE)
        ax.text(two * 1.15, row, f"{two:.2f}", ha="left", va="center", fontsize=9, color=ORANGE)
    ax.set(xscale="log", xlim=(1.25, 30), ylim=(len(errors) - 0.5, -0.6))
    ax.set(xlabel="error of prediction / mg", yticks=range(len(errors)), yticklabels=list(errors))
    ax.set_xticks([2, 5, 10, 20], ["2", "5", "10", "20"])
    ax.minorticks_off()


def draw_explanation(ax: Axes, tablets: SpectralDataset) -> None:
    """What each wavelength adds to the prediction of the tablet with the highest content, on instrument 2."""
    train = tablets.where(instrument=1, role="train")
    test = tablets.where(instrument=2, role="test")
    X = train.X.astype(np.float64)
    pipeline = study.network("CNN", "none", "Bjerrum 2017", "augment, correct", X, seed=0)
    network = pipeline.fit(X, train.y["assay"].to_numpy())[-1]
    highest = int(test.y["assay"].to_numpy().argmax())
    spectrum = test.X[highest : highest + 1]
    contributions = attribute(network, spectrum, steps=256, progress=False)[0]
    start = network.predict(network.mean_spectrum_[None]).item()
    end = network.predict(spectrum).item()
    print(f"{test.y['assay'].max()} mg, predicted {end:.1f}; mean spectrum {start:.1f}; sum {contributions.sum():.2f}")
    ax.fill_between(test.axis, np.maximum(contributions, 0), color=PALETTE[2], lw=0)
    ax.fill_between(test.axis, np.minimum(contributions, 0), color=PALETTE[3], lw=0)
    set_spectral_axis(ax, test.axis, "wavelength", "nm")
    ax.set(ylabel="contribution / mg", xticks=[600, 1000, 1400, 1800])
    text = f"sum {end - start:+.0f} mg:\nfrom {start:.0f} (mean)\nto {end:.0f} mg"
    ax.text(0.03, 0.98, text, transform=ax.transAxes, va="top", fontsize=8)


def main() -> None:
    use_style()
    tablets = load_tablets()
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.9), width_ratios=(1, 1.05, 1))
    draw_spectra(axes[0], tablets)
    draw_errors(axes[1], medians())
    draw_explanation(axes[2], tablets)
    titles = [
        "The same tablets on\ntwo instruments",
        "On the other instrument\nonly raw PLS fails",
        "Wavelengths behind\none prediction",
    ]
    for ax, title in zip(axes, titles):
        ax.set_title(title, fontsize=11, fontweight="bold", loc="left")
    with written_whole(PICTURE) as part:
        figure.savefig(part, metadata={"Software": None})
    print(f"wrote {PICTURE.relative_to(ROOT).as_posix()}")


if __name__ == "__main__":
    main()
