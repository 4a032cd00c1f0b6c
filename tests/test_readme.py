"""README.md as GitHub and PyPI show it: links, pictures, numbers, and the calls that it recommends."""

import ast
import re
from configparser import ConfigParser
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from readme_renderer import markdown

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
# Pages of the website that no notebook makes
MADE_BY_THE_SITE = {"", "api/index.html"}


def settings() -> dict[str, str]:
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return dict(config["DEFAULT"])


class Addresses(HTMLParser):
    """Links, pictures and tags of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.pictures, self.tags = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.tags.add(tag)
        if tag == "a" and not given.get("href", "").startswith("#"):  # those are beside the headings
            self.links.append(given.get("href"))
        if tag == "img":
            self.pictures.append(given)


@pytest.fixture(scope="module")
def page():
    """As PyPI renders it, which leaves out what it does not allow."""
    return Addresses(markdown.render(README))


def notebook_of(link: str) -> Path | None:
    """The notebook behind a page of the website, or None for a page that has none."""
    place = urlsplit(link.removeprefix(settings()["website"]))
    if place.path == "lite/lab/index.html":
        return ROOT / "nbs" / "course" / parse_qs(place.query)["path"][0]
    if place.path in MADE_BY_THE_SITE:
        return None
    return ROOT / "nbs" / re.sub(r"\.html$", ".ipynb", place.path)


def test_the_index_of_packages_shows_all_of_it(page):
    assert {"table", "details", "summary", "pre", "img", "h2"} <= page.tags


def test_every_link_leads_somewhere(page):
    website, repository = settings()["website"], settings()["repository"]
    assert len(page.links) > 40
    assert [link for link in page.links if not link or not link.startswith("https://")] == []
    pages = [link for link in page.links if link.startswith(website)]
    assert len(pages) > 30
    assert [link for link in pages if (path := notebook_of(link)) and not path.exists()] == []
    inside = [link.removeprefix(repository) for link in page.links if link.startswith(repository)]
    files = [ROOT / link.removeprefix("/blob/main/") for link in inside if link.startswith("/blob/main/")]
    assert len(files) >= 5 and [path for path in files if not path.exists()] == []
    workflows = [ROOT / ".github" / link.removeprefix("/actions/") for link in inside if "/actions/" in link]
    assert len(workflows) == 1 and workflows[0].exists()


def test_pictures_are_in_the_repository_and_have_a_text(page):
    raw = settings()["repository"].replace("//github.com/", "//raw.githubusercontent.com/") + "/main/"
    assert all(picture["alt"] for picture in page.pictures)
    own = [ROOT / p["src"].removeprefix(raw) for p in page.pictures if p["src"].startswith(raw)]
    assert ROOT / "nbs" / "images" / "overview.png" in own and all(path.exists() for path in own)
    badges = [picture["src"] for picture in page.pictures if not picture["src"].startswith(raw)]
    assert all(re.match(r"https://(img\.shields\.io|github\.com)/", source) for source in badges) and len(badges) == 4


def test_badge_names_the_versions_of_python(page):
    versions = re.findall(r"Python :: (3\.\d+)", (ROOT / "setup.py").read_text("utf-8"))
    assert f"Python {versions[0]} to {versions[-1]}" in {picture["alt"] for picture in page.pictures}


def test_results_stand_on_the_pages_that_they_link():
    section = README.split("\n## What it found\n")[1].split("\n## ")[0]
    results = re.findall(r"^- .+$", section, flags=re.M)
    assert len(results) == 3
    for result in results:
        text = re.sub(r"\]\([^)]*\)", "]", result)
        numbers = re.findall(r"\d+(?:[.,]\d+)+", text)
        pages = [notebook_of(link) for link in re.findall(r"\]\(([^)]+)\)", result)]
        shown = "\n".join(path.read_text("utf-8") for path in pages)
        assert len(numbers) >= 2
        assert [number for number in numbers if number not in shown] == []


ACETONE = """##TITLE=acetone
##JCAMP-DX=4.24
##DATA TYPE=INFRARED SPECTRUM
##XUNITS=1/CM
##YUNITS=ABSORBANCE
##XFACTOR=1
##YFACTOR=0.001
##FIRSTX=500
##LASTX=3900
##NPOINTS={n}
##FIRSTY={first}
##XYDATA=(X++(Y..Y))
{rows}
##END=
"""


def write_acetone(path: Path) -> None:
    """A file of three bands."""
    axis = np.arange(500, 3901, 4)
    y = sum(np.exp(-(((axis - centre) / 15) ** 2)) for centre in (1215, 1365, 1735))
    y = np.round(1000 * y).astype(int)
    rows = [f"{x} {value}" for x, value in zip(axis, y)]
    path.write_text(ACETONE.format(n=len(axis), first=y[0] / 1000, rows="\n".join(rows)))


@pytest.mark.slow
def test_calls_that_it_recommends_run(tmp_path, monkeypatch):
    from deep_chemometrics.calibration import ApplicabilityDomain, ConformalRegressor, PLSRegressionCV, compare
    from deep_chemometrics.data import load_tablets, read_spectra
    from deep_chemometrics.explanation import attribute, faithfulness
    from deep_chemometrics.infrared import predict_groups
    from deep_chemometrics.networks import CNNRegressor

    ds = load_tablets().where(instrument=1, role="train")
    X, y = ds.X[:40, ::10], ds.y["assay"].to_numpy()[:40]
    model = PLSRegressionCV().fit(X, y)
    names = dict(X=X, y=y, X_new=ds.X[40:45, ::10], model=model, models={"PLS": model, "few": PLSRegressionCV(3)})
    names |= dict(
        PLSRegressionCV=PLSRegressionCV,
        ApplicabilityDomain=ApplicabilityDomain,
        ConformalRegressor=ConformalRegressor,
        compare=compare,
        read_spectra=read_spectra,
        attribute=attribute,
        faithfulness=faithfulness,
        predict_groups=predict_groups,
        CNNRegressor=CNNRegressor,
    )
    monkeypatch.chdir(tmp_path)
    write_acetone(tmp_path / "acetone.jdx")
    (tmp_path / "measurements").mkdir()
    (tmp_path / "measurements" / "march.csv").write_text("sample,1100,1102,1104\na,0.1,0.2,0.3\nb,0.2,0.3,0.4\n")
    calls = re.findall(r"^\| .+? \| `(.+?)` \|", README, flags=re.M)
    assert len(calls) == 9
    for call in calls:
        ast.parse(call, mode="eval")
        result = eval(call, names)
        assert result is not None
        if call.startswith("attribute"):
            names["attributions"] = result
