"""The gallery: small pictures of the figures, each with a link to the code that made it."""

import io
from pathlib import Path

from PIL import Image

from website.pages import Page

GALLERY = {
    "course": "Course",
    "studies": "Studies",
    "guides": "Guides",
    "datasets": "Data sets",
    "library/plotting": "Functions for figures",
}


def write_gallery(target: Path, pages: list[Page]) -> None:
    """Small pictures of all figures, each with a link to the code that made it."""
    folder = target / "_pictures"
    folder.mkdir(exist_ok=True)
    text = "# Gallery\n\n{.subtitle}\nFigures of the course, the studies and the guides: each leads to its code\n\n"
    for place, name in GALLERY.items():
        text += f"## {name}\n\n"
        for page in pages:
            if page.name.rpartition("/")[0] != place or not page.figures:
                continue
            text += f"### [{page.title}](/{page.name}.ipynb)\n\n"
            text += "::::{grid} 2 2 3 3\n:gutter: 2\n:class-container: gallery\n\n"
            for number, figure in enumerate(page.figures):
                name = f"{figure.anchor}-{number}.webp"
                with Image.open(io.BytesIO(figure.png)) as picture:
                    picture = picture.convert("RGBA")
                    picture.thumbnail((480, 360))
                    white = Image.new("RGB", picture.size, "white")
                    white.paste(picture, mask=picture.getchannel("A"))
                    white.save(folder / name, quality=80)
                text += f":::{{grid-item}}\n[![{figure.caption}](/_pictures/{name})](#{figure.anchor})\n:::\n"
            text += "::::\n\n"
    (target / "gallery.md").write_text(text, encoding="utf-8")
