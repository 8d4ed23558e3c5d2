"""The site of the documentation; scripts/site builds it."""

import logging
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "analysis/src"))

project = "gihflow"
copyright = "the gihflow developers"
release = re.search(r"VERSION (\d[\d.]*)", (ROOT / "CMakeLists.txt").read_text().partition("project(gihflow")[2])[1]
root_doc = "docs/index"
exclude_patterns = ["README.md"]  # the front page says the same
extensions = ["myst_parser", "breathe", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 4
myst_dmath_double_inline = True
# Shell sessions are not a language of the highlighter where they hold output.
suppress_warnings = ["misc.highlighting_failure"]
breathe_projects = {"gihflow": str(ROOT / "build-site/doxygen/xml")}
breathe_default_project = "gihflow"
cpp_id_attributes = ["GIHFLOW_API"]
autodoc_mock_imports = ["gihflow._core", "tqdm"]  # the compiled module is not needed to read docstrings
autodoc_member_order = "bysource"
html_theme = "furo"
html_title = f"gihflow {release}"
html_static_path = ["static"]
html_css_files = ["katex/katex.min.css", "site.css"]
# Formulas by KaTeX: Sphinx loads one script for them, this one, after that of the library.
html_js_files = [("katex/katex.min.js", {"priority": 100})]
mathjax_path = "formulas.js"
mathjax_options = {"defer": "defer"}
html_theme_options = {"source_repository": "", "navigation_with_keys": True}


def is_worth_saying(record):
    """Every header's page declares the one namespace again, which Sphinx takes for a duplicate."""
    text = record.getMessage()
    return not ("namespacegihflow" in text or "Declaration is '.. cpp:type:: gihflow'" in text)


def copy_libraries(app, error):
    """What the distribution keeps elsewhere is put beside the pages, so that they can be read from a disk."""
    if error or app.builder.format != "html":
        return
    system, static = Path("/usr/share/javascript"), Path(app.outdir) / "_static"
    (static / "katex/fonts").mkdir(parents=True, exist_ok=True)
    for name in ("katex.min.js", "katex.min.css"):
        shutil.copy(system / "katex" / name, static / "katex" / name)
    for font in Path("/usr/share/fonts/truetype/katex").glob("*.woff2"):
        shutil.copy(font, static / "katex/fonts" / font.name)
    # The theme's style names a place on a server, and its script is in two modules, which no page on a disk may load.
    style, script = static / "styles/furo.css", static / "scripts/furo.js"
    reset = (system / "normalize.css/normalize.css").read_text()
    style.write_text(re.sub(r"@import url\(/javascript/normalize[^;]*;", lambda _: reset, style.read_text()))
    parts = re.sub(r"^import .*$", "", script.read_text(), flags=re.MULTILINE)
    script.write_text((static / "scripts/gumshoe-patched.js").read_text() + parts)
    (Path(app.outdir) / "index.html").write_text(
        '<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=docs/index.html">'
        '<title>gihflow</title><a href="docs/index.html">gihflow</a>\n')


def setup(app):
    for handler in logging.getLogger("sphinx").handlers:
        handler.filters.insert(0, is_worth_saying)
    app.connect("build-finished", copy_libraries)
