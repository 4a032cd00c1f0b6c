"""The website in _docs/, checked as a reader meets it.

python scripts/check_site.py             files and links, then every page in a browser
python scripts/check_site.py --files     files and links alone
python scripts/check_site.py --shots DIR  pictures of some pages, too: two widths, light and dark

Files: every notebook has a page; every internal link and anchor leads somewhere, every link to the repository names a
file that is there; pictures have a text. Browser (Chromium with its driver): no error in the console, no request to
another server, pictures and formulas are there, nothing is wider than the window at 390 and 1,400 pixels, text can be
read in the light and in the dark, and search finds what it should first. Without a browser that part is skipped.
"""

import argparse
import base64
import functools
import http.server
import json
import os
import queue
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from configparser import ConfigParser
from html.parser import HTMLParser
from pathlib import Path
from statistics import median
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_docs"
WIDTHS = (1400, 390)
THEMES = ("light", "dark")
# What search has to show first
SEARCHES = {
    "EMSC": ["api/preprocessing/EMSC.html"],
    "SPC": ["api/data/read_spc.html", "guides/read_your_files.html"],
    "integrated gradients": ["library/explanation/07_method_integrated.html", "course/13_attribution.html"],
}
SHOTS = [
    "index.html",
    "course/02_preprocessing.html",
    "course/13_attribution.html",
    "course/exercises/03_pls.html",
    "course/glossary.html",
    "guides/read_your_files.html",
    "studies/tablets.html",
    "library/preprocessing/01_scatter.html",
    "api/index.html",
    "api/preprocessing/EMSC.html",
    "gallery.html",
    "search.html?q=EMSC",
]
# The largest page, its pictures included, and the least contrast of text (WCAG AA for large text: 3)
LARGEST = 3.0  # MB
CONTRAST = 3.0


# Files and links


class Reader(HTMLParser):
    """Links, anchors and pictures of a page."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.without_text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in {"img", "script"} and given.get("src"):
            self.loaded.append(given["src"])
        if tag == "link" and given.get("href") and given.get("rel") in {"stylesheet", "icon", "preload"}:
            self.loaded.append(given["href"])
        if tag == "img" and "alt" not in given:
            self.without_text.append(given.get("src", ""))


def pages(site: Path) -> list[Path]:
    """All pages but those of JupyterLite, which is a program of its own."""
    return [path for path in sorted(site.rglob("*.html")) if path.relative_to(site).parts[0] != "lite"]


def repository() -> str:
    config = ConfigParser(delimiters=["="], interpolation=None)
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return config["DEFAULT"]["repository"]


def leads_nowhere(link: str, page: Path, site: Path, read: dict[Path, Reader]) -> bool:
    """Whether an internal link leads to no file, or to no anchor of its page."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    target = Path(os.path.normpath(page.parent / unquote(parts.path))) if parts.path else page
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return True
    return bool(parts.fragment) and target in read and unquote(parts.fragment) not in read[target].anchors


def missing_in_repository(link: str, address: str) -> bool:
    """Whether a link to a file or folder of the repository names one that is not there."""
    match = re.match(re.escape(address) + r"/(?:blob|tree|edit)/main/([^?#]*)", link)
    return bool(match) and not (ROOT / unquote(match[1])).exists()


def check_files(site: Path) -> dict[str, list[str]]:
    """What is wrong, by kind."""
    read = {path: Reader(path.read_text(encoding="utf-8")) for path in pages(site)}
    notebooks = [path.relative_to(ROOT / "nbs") for path in (ROOT / "nbs").rglob("*.ipynb")]
    notebooks = [path for path in notebooks if not any(part[0] in "._" for part in path.parts)]
    address = repository()
    wrong = {
        "notebooks without a page": [
            str(path) for path in notebooks if not (site / path.with_suffix(".html")).exists()
        ],
        "links that lead nowhere": [],
        "links to files that are not in the repository": [],
        "parts loaded from elsewhere": [],
        "pictures without a text": [],
        f"pages above {LARGEST:g} MB": [],
    }
    sizes = {}
    for path, page in read.items():
        name = path.relative_to(site).as_posix()
        for link in {*page.links, *page.loaded}:
            if leads_nowhere(link, path, site, read):
                wrong["links that lead nowhere"].append(f"{name}: {link}")
            if missing_in_repository(link, address):
                wrong["links to files that are not in the repository"].append(f"{name}: {link}")
        elsewhere = [part for part in page.loaded if urlsplit(part).netloc]
        wrong["parts loaded from elsewhere"] += [f"{name}: {part}" for part in elsewhere]
        wrong["pictures without a text"] += [f"{name}: {source}" for source in page.without_text]
        pictures = {path.parent / unquote(urlsplit(part).path) for part in page.loaded if "_images/" in part}
        sizes[name] = (path.stat().st_size + sum(p.stat().st_size for p in pictures if p.exists())) / 1e6
    wrong[f"pages above {LARGEST:g} MB"] = [f"{name}: {size:.1f}" for name, size in sizes.items() if size > LARGEST]
    largest = max(sizes, key=sizes.get)
    links = sum(len(page.links) for page in read.values())
    print(f"{len(read)} pages, {links} links")
    print(f"median {median(sizes.values()):.2f} MB, largest {sizes[largest]:.2f} MB: {largest}")
    return wrong


# In the browser

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
LOOK = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


class Server:
    """Serves a folder on this machine, at a port of its own."""

    def __init__(self, folder: Path):
        handler = functools.partial(Quiet, directory=str(folder))
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.handle_error = lambda *_: None  # a browser that goes on to another page closes the connection
        self.address = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self) -> str:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self.address

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_) -> None:
        pass


def programs() -> tuple[str, str] | None:
    """The paths of Chromium and its driver; None if one of them is missing."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Browser:
    """Chromium without a window, which notes messages of the console and requests."""

    def __init__(self, address: str, profile: str):
        from selenium import webdriver

        browser, driver = programs()
        options = webdriver.ChromeOptions()
        options.binary_location = browser
        for flag in FLAGS:
            options.add_argument(flag)
        options.add_argument(f"--user-data-dir={profile}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.address = address
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        self.driver.set_page_load_timeout(120)
        self.foreign: set[str] = set()

    def size(self, width: int, height: int = 900) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, page: str) -> None:
        self.size(WIDTHS[0])
        self.driver.get(self.address + page)
        self.wait(
            "return !document.querySelector('.math') || !!(window.MathJax && MathJax.startup"
            " && MathJax.startup.promise && document.querySelector('mjx-container'))"
        )

    def wait(self, script: str, seconds: float = 20) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.driver.execute_script(script):
                return True
            time.sleep(0.05)
        return False

    def messages(self) -> list[str]:
        """Warnings and errors of the console, and requests to other servers, since the last call."""
        found = [one["message"] for one in self.driver.get_log("browser") if one["level"] in {"WARNING", "SEVERE"}]
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if not url.startswith((self.address, "data:", "blob:", "about:", "chrome")):
                    self.foreign.add(url)
                    found.append(f"request to {url}")
        return found

    def look(self, page: str) -> list[str]:
        """Everything that is wrong with a page."""
        self.open(page)
        wrong = self.run("return missing();")
        for width in WIDTHS:
            self.size(width)
            wrong += [f"at {width}: {text}" for text in self.run("return tooWide();")]
        for theme in THEMES:
            wrong += [f"{theme}: {text}" for text in self.run("return unreadable(...arguments);", theme, CONTRAST)]
        return wrong + self.messages()

    def run(self, script: str, *arguments):
        """The value of a script that uses the functions of check_site.js."""
        return self.driver.execute_script(LOOK + script, *arguments)

    def search(self, words: str) -> str:
        """The page that search shows first."""
        self.driver.get(self.address + "search.html?q=" + words.replace(" ", "+"))
        self.wait("return /found|did not match/i.test(document.querySelector('#search-results').textContent)")
        script = "return document.querySelector('#search-results li a')?.href || ''"
        return self.driver.execute_script(script).removeprefix(self.address).partition("?")[0].partition("#")[0]

    def shoot(self, page: str, width: int, theme: str, path: Path) -> None:
        self.open(page)
        self.size(width, 1400 if width > 500 else 1100)
        self.run("setTheme(arguments[0]);", theme)
        time.sleep(0.5)
        path.write_bytes(base64.b64decode(self.driver.get_screenshot_as_base64()))


def in_browsers(address: str, names: list[str], work: Callable[[Browser, str], list[str]]) -> list[str]:
    """What `work` finds wrong with each of the names, in as many browsers as there are processors, at most four.

    A browser that does not answer is replaced, and what it was busy with tried once more.
    """
    waiting: queue.Queue[str] = queue.Queue()
    for name in names:
        waiting.put(name)
    found: list[str] = []
    tried: set[str] = set()

    def use(folder: str) -> None:
        for number in range(4):
            name, browser = "", None
            try:
                browser = Browser(address, os.path.join(folder, str(number)))
                while True:
                    name = waiting.get_nowait()
                    found.extend(f"{name}: {text}" for text in work(browser, name))
            except queue.Empty:
                return
            except Exception as error:
                if name and name not in tried:
                    tried.add(name)
                    waiting.put(name)
                else:
                    what = name or "browser"
                    found.append(f"{what}: {type(error).__name__}: {str(error).splitlines()[0]}")
            finally:
                if browser:
                    browser.driver.quit()

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        count = max(1, min(4, os.cpu_count() or 1))
        threads = [threading.Thread(target=use, args=(os.path.join(folder, str(i)),)) for i in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    if not waiting.empty():
        found.append(f"{waiting.qsize()} pages were not opened")
    return sorted(found)


def search_finds(browser: Browser, words: str) -> list[str]:
    first = browser.search(words)
    print(f"search for {words!r}: {first}", flush=True)
    return [] if first in SEARCHES[words] else [f"search shows {first or 'nothing'} first, not {SEARCHES[words][0]}"]


def shoot_all(address: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)

    def shoot(browser: Browser, page: str) -> list[str]:
        for width in WIDTHS:
            for theme in THEMES:
                name = re.sub(r"\W+", "-", page.removesuffix(".html"))
                browser.shoot(page, width, theme, folder / f"{name}-{width}-{theme}.png")
        return []

    in_browsers(address, SHOTS, shoot)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", type=Path, default=SITE)
    parser.add_argument("--files", action="store_true", help="no browser")
    parser.add_argument("--shots", type=Path, metavar="DIR", help="pictures of some pages go there")
    parser.add_argument("pages", nargs="*", help="open only these in the browser: course/02_preprocessing.html")
    given = parser.parse_args()
    start = time.perf_counter()
    results = check_files(given.site)
    skipped = 0
    if not given.files and programs() is None:
        skipped = 2
        print("skipped: no Chromium with chromedriver here (Debian: apt install chromium chromium-driver)")
    elif not given.files:
        with Server(given.site) as address:
            names = given.pages or [path.relative_to(given.site).as_posix() for path in pages(given.site)]
            results["pages in the browser"] = in_browsers(address, names, Browser.look)
            if not given.pages:
                results["searches"] = in_browsers(address, list(SEARCHES), search_finds)
            if given.shots:
                shoot_all(address, given.shots)
    for kind, wrong in results.items():
        print(f"{'FAILED' if wrong else 'passed'}  {kind}" + (f": {len(wrong)}" if wrong else ""))
        print("".join(f"    {text}\n" for text in wrong[:200]), end="")
    failed = sum(bool(wrong) for wrong in results.values())
    print(f"{len(results) - failed} kinds of checks passed, {failed} failed, {skipped} skipped", end="; ")
    print(f"{time.perf_counter() - start:.0f} s")
    return int(failed > 0)


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
