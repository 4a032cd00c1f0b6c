"""Sphinx's settings for the website. scripts/make_docs.py prepares its sources in _proc/ and calls Sphinx."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from website.pages import settings as read_settings  # noqa: E402

settings = read_settings()

project = "Deep Chemometrics"
author = settings["author"]
copyright = f"{author}. Text and figures CC BY 4.0, code MIT"
version = release = settings["version"]
owner, name = settings["repository"].rstrip("/").split("/")[-2:]

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "numpydoc",
    "sphinx_design",
    "sphinx_copybutton",
    "website.extension",
]
exclude_patterns = ["images"]
nitpicky = True  # an unknown reference is a warning, and warnings are errors
default_role = "literal"
python_use_unqualified_type_names = True
suppress_warnings = ["mystnb.unknown_mime_type"]

# Notebooks are committed executed
nb_execution_mode = "off"
nb_merge_streams = True
nb_number_source_lines = False
myst_enable_extensions = ["amsmath", "attrs_block", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

# API
autosummary_generate = False
autodoc_typehints = "none"  # types stand in the docstrings, with shapes and units
autodoc_preserve_defaults = True
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
add_module_names = False

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

html_theme = "sphinx_book_theme"
html_title = project
html_baseurl = f"https://{owner}.github.io/{name}/"
html_logo = str(HERE / "static" / "logo.svg")
html_favicon = str(HERE / "static" / "favicon.svg")
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_context = {"default_mode": "auto"}
html_search_scorer = str(HERE / "static" / "scorer.js")
html_last_updated_fmt = None
html_show_sphinx = False
html_theme_options = {
    "repository_url": settings["repository"],
    "repository_branch": "main",
    "path_to_docs": "nbs",
    "use_repository_button": True,
    "use_source_button": True,
    "use_edit_page_button": True,
    "use_issues_button": True,
    "use_download_button": True,
    "launch_buttons": {
        "colab_url": "https://colab.research.google.com",
        "binderhub_url": "https://mybinder.org",
        "notebook_interface": "jupyterlab",
    },
    "collapse_navbar": True,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "navbar_persistent": [],  # search stands in the sidebar
    "logo": {"text": project, "alt_text": f"{project}, front page"},
    "article_header_end": ["article-header-buttons.html"],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {"options": {"enableMenu": False}}
