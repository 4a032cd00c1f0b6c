"""The picture that previews of links show: spectra of tablets, coloured by their content, and the title."""

from pathlib import Path

import matplotlib

from website.pages import settings

matplotlib.use("agg")
import matplotlib.pyplot as plt

from deep_chemometrics.data import load_tablets
from deep_chemometrics.preprocessing import EMSC

PIXELS = (1200, 630)  # what previews expect


def draw_preview(path: Path) -> None:
    tablets = load_tablets().where(instrument=1, role="train")
    spectra = EMSC(order=2).fit_transform(tablets.X)[::3]
    contents = tablets.y["assay"].to_numpy()[::3]
    fig = plt.figure(figsize=(PIXELS[0] / 100, PIXELS[1] / 100), dpi=100, facecolor="#0b2239")
    ax = fig.add_axes((0, 0, 1, 0.62))
    ax.set_axis_off()
    ax.set_prop_cycle(color=plt.cm.viridis((contents - contents.min()) / (contents.max() - contents.min())))
    ax.plot(tablets.axis, spectra.T, linewidth=1, alpha=0.8)
    ax.set_xlim(tablets.axis[0], tablets.axis[-1])
    fig.text(0.06, 0.80, "Deep Chemometrics", color="white", fontsize=52, fontweight="bold")
    lines = settings()["description"].split(", ")
    fig.text(0.06, 0.66, ",\n".join(lines), color="#bcd3e6", fontsize=22, linespacing=1.4)
    fig.savefig(path, dpi=100, facecolor=fig.get_facecolor())
    plt.close(fig)
