"""Metadata comes from settings.ini, where it is written once."""

from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
config = ConfigParser(delimiters=["="], interpolation=None)
config.read(here / "settings.ini", encoding="utf-8")
settings = config["DEFAULT"]


def lines(key):
    return [line.strip() for line in settings[key].splitlines() if line.strip()]


EXTRAS = ("deep", "readers", "tuning", "onnx", "inspect", "infrared")

setup(
    version=settings["version"],
    description=settings["description"],
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author=settings["author"],
    license_expression=settings["license"],
    keywords=settings["keywords"].split(),
    project_urls={
        "Documentation": settings["website"],
        "Source": settings["repository"],
        "Issues": f"{settings['repository']}/issues",
        "Changelog": f"{settings['repository']}/blob/main/CHANGELOG.md",
    },
    python_requires=f">={settings['min_python']}",
    install_requires=lines("requirements"),
    extras_require={
        **{extra: lines(f"{extra}_requirements") for extra in EXTRAS},
        "dev": [line for extra in ("dev", *EXTRAS) for line in lines(f"{extra}_requirements")],
    },
    packages=[
        *find_packages(include=["deep_chemometrics*"]),
        "deep_chemometrics._embedded",
        "deep_chemometrics._embedded.group_model",
    ],
    package_dir={"deep_chemometrics._embedded": "data"},  # the wheel carries the embedded data sets
    package_data={
        "deep_chemometrics._embedded": ["*.csv.gz", "*.npz", "*.json", "README.md"],
        "deep_chemometrics._embedded.group_model": ["*"],
    },
    entry_points={"nbdev": ["deep_chemometrics = deep_chemometrics._modidx:d"]},
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Chemistry",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
