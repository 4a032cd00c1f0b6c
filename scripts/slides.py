"""Slides for each part of the course, as PDF in release/slides/, made from the chapters by matplotlib.

A chapter gives a slide with its title and what students will learn, one for each figure, and its summary. Nothing
has to be installed or downloaded, and the slides change with the chapters.
"""

import base64
import io
import json
import re
import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("pdf")
import matplotlib.pyplot as plt
from matplotlib.backends.backend_pdf import PdfPages

ROOT = Path(__file__).resolve().parent.parent
COURSE = ROOT / "nbs" / "course"
TARGET = ROOT / "release" / "slides"
PARTS = {
    "1_spectra_and_calibration": range(1, 7),
    "2_networks": range(7, 12),
    "3_trust": range(12, 16),
    "4_infrared": range(16, 18),
    "5_practice": range(18, 21),
}
INCHES = (13.33, 7.5)
BLUE = "#0072B2"


def plain(markdown: str) -> str:
    """Text without the marks of Markdown; formulas keep their dollars, which matplotlib reads."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown)
    pieces = re.split(r"(\$[^$\n]+\$)", text)  # stars inside formulas stay
    return "".join(piece if piece.startswith("$") else re.sub(r"[*`]+", "", piece) for piece in pieces)


def bullets(text: str) -> list[str]:
    return [plain(item) for item in re.findall(r"^(?:> )?- (.+)$", text, flags=re.M)]


def read_chapter(path: Path) -> dict:
    """Title, subtitle, objectives, figures as PNG with their alternative text, and summary."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    title, subtitle = re.fullmatch(r"# (.+)\n\n?> (.+)", texts[0]).groups()
    figures = []
    for cell in cells:
        for output in cell.get("outputs", []):
            picture = output.get("data", {}).get("image/png")
            if picture:
                alternative = re.search(r"^#\| fig-alt: (.+)$", "".join(cell["source"]), flags=re.M)
                caption = alternative[1] if alternative else ""
                figures.append((base64.b64decode("".join(picture)), caption))
    summary = re.search(r"^## Summary\n(.*?)(?=^## |\Z)", "\n\n".join(texts), flags=re.M | re.S)
    return {
        "title": f"{int(path.name[:2])}  {plain(title)}",
        "subtitle": plain(subtitle),
        "objectives": bullets(next((text for text in texts if "**What you will learn**" in text), "")),
        "figures": figures,
        "summary": bullets(summary[1]) if summary else [],
    }


def new_slide(title: str) -> plt.Figure:
    figure = plt.figure(figsize=INCHES)
    figure.text(0.05, 0.9, title, fontsize=26, fontweight="bold", color=BLUE)
    return figure


def list_slide(title: str, lead: str, items: list[str]) -> plt.Figure:
    figure = new_slide(title)
    y = 0.83
    for line in textwrap.wrap(lead, 84):
        figure.text(0.05, y, line, fontsize=18, color="0.3")
        y -= 0.055
    y -= 0.05
    for item in items:
        for number, line in enumerate(textwrap.wrap(item, 74)):
            if number == 0:
                figure.text(0.06, y, "•", fontsize=20, color=BLUE)
            figure.text(0.085, y, line, fontsize=20, parse_math=line.count("$") == 2)
            y -= 0.062
        y -= 0.025
    return figure


def figure_slide(title: str, picture: bytes, caption: str) -> plt.Figure:
    figure = new_slide(title)
    ax = figure.add_axes((0.05, 0.12, 0.9, 0.74))
    ax.imshow(plt.imread(io.BytesIO(picture)), interpolation="antialiased")
    ax.axis("off")
    figure.text(0.05, 0.06, caption, fontsize=14, color="0.3")
    return figure


def slides(chapter: dict):
    """The figures of one chapter's slides, in order."""
    yield list_slide(chapter["title"], chapter["subtitle"], chapter["objectives"])
    for picture, caption in chapter["figures"]:
        yield figure_slide(chapter["title"], picture, caption)
    yield list_slide(f"{chapter['title']}: summary", "", chapter["summary"])


def main(course: Path = COURSE, target: Path = TARGET) -> dict[str, int]:
    """Write one PDF for each part that has chapters; the number of slides of each."""
    target.mkdir(parents=True, exist_ok=True)
    written = {}
    for part, numbers in PARTS.items():
        paths = [path for number in numbers for path in sorted(course.glob(f"{number:02d}_*.ipynb"))]
        if not paths:
            continue
        with PdfPages(target / f"{part}.pdf") as pdf:
            for path in paths:
                for figure in slides(read_chapter(path)):
                    pdf.savefig(figure)
                    plt.close(figure)
            written[part] = pdf.get_pagecount()
        print(f"release/slides/{part}.pdf: {written[part]} slides from {len(paths)} chapters")
    return written


if __name__ == "__main__":
    main()
