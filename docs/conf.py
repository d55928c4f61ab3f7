"""The web book's configuration for Sphinx; ``python -m tools.book`` builds it."""

import json
import os
import tomllib
from pathlib import Path

import cnnkit  # noqa: F401  # before Keras: it keeps the log quiet

from docutils import nodes
from sphinx import addnodes
from sphinx.search import languages
from sphinx.search.en import SearchEnglish

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["cnnkit"]
ADDRESS = SETTINGS["repository"].rstrip("/").removesuffix(".git")
HOST = "gitlab" if "gitlab" in ADDRESS else "github"
MATHJAX = ROOT / "docs/web/node_modules/mathjax/es5/tex-svg.js"  # one file, without fonts
DECKS = sorted(path.stem for path in (ROOT / "slides/dist").glob("*.html"))

project, author, language = "cnnkit", "the cnnkit authors", "en"
project_copyright = "the cnnkit authors. Prose: CC BY 4.0. Code: MIT"
root_doc = "docs/index"
include_patterns = ["docs/*.md", "notebooks/*.ipynb", "RESULTS.md", "CONTRIBUTING.md"]
include_patterns += ["data/README.md", "slides/README.md", "benchmarks/README.md"]
include_patterns += ["benchmarks/measured/*.md"]
extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx_copybutton"]
extensions += ["sphinx_togglebutton"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # the stored outputs are the book's
nb_merge_streams = True
numpydoc_show_class_members = False
autodoc_typehints, autodoc_inherit_docstrings = "none", False
toc_object_entries_show_parents = "hide"

html_theme, html_title = "sphinx_book_theme", "cnnkit"
html_static_path = ["_static", *([str(MATHJAX)] if MATHJAX.is_file() else [])]
html_css_files, html_favicon = ["book.css"], "_static/icon.svg"
html_show_sourcelink = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "navbar_persistent": [],  # the search stands in the sidebar
    "footer_content_items": ["copyright.html"],
    "repository_url": ADDRESS,
    "repository_provider": HOST,
    "repository_branch": "main",
    "use_repository_button": bool(ADDRESS),
    "use_edit_page_button": bool(ADDRESS),
    "launch_buttons": {"colab_url": "https://colab.research.google.com"} if ADDRESS else {},
}
mathjax_path = MATHJAX.name


class EnglishAndKorean(SearchEnglish):
    """Finds English words, and Korean ones by each beginning of two syllables or more."""

    def split(self, text: str) -> list[str]:
        """Return the words of a text, and the beginnings of Korean ones."""
        words = super().split(text)
        korean = [word for word in words if all("가" <= letter <= "힣" for letter in word)]
        return words + [word[:end] for word in korean for end in range(2, len(word))]


def as_book(app, docname, source):
    """Fold a notebook's hidden cells, leave out what only runs, and give figures their texts."""
    if not str(app.env.doc2path(docname)).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        about = cell["metadata"]
        tags = about.setdefault("tags", [])
        if {"badge", "check", "install"} & set(tags):
            tags.append("remove-cell")
        elif about.get("jupyter", {}).get("source_hidden") and "hide-cell" not in tags:
            tags.append("hide-input")
        for output in cell.get("outputs", []):
            if text := output.get("metadata", {}).get("image/png", {}).get("alt"):
                about["mystnb"] = {"image": {"alt": text}}
    source[0] = json.dumps(notebook)


def keep_aside(app, docname, source):
    """Keep the measured tables out of the contents; the page of the benchmarks leads to them."""
    if docname.startswith("benchmarks/measured/"):
        source[0] = f"---\norphan: true\n---\n{source[0]}"


def lead_outside(app, doctree):
    """Lead links to files outside the book to a deck, to the project's address, or to a copy."""
    page = Path(app.env.doc2path(app.env.docname))
    for node in list(doctree.findall(addnodes.pending_xref)):
        if node["reftype"] != "myst" or node["reftarget"] in app.env.found_docs:
            continue
        path = (ROOT if node["refdomain"] == "doc" else page.parent) / node["reftarget"]
        found = [path.with_name(path.name + end) for end in ("", ".md", ".ipynb")]
        if file := next(filter(Path.exists, found), None):
            node.replace_self(link_to(file.resolve(), page, node.get("reftargetid"), node.children))
    for node in list(doctree.findall(addnodes.download_reference)):
        file = (page.parent / node["reftarget"]).resolve()
        node.replace_self(link_to(file, page, None, node.children))


def link_to(file, page, anchor, children):
    """Return a link from a page to a file or a folder of the project."""
    path = Path(os.path.relpath(file, page.parent))
    if file.parent == ROOT / "slides" and file.stem in DECKS:
        return nodes.reference("", "", *children, refuri=path.with_suffix(".html").as_posix())
    if ADDRESS:
        kind = "blob" if file.is_file() else "tree"
        address = f"{ADDRESS}/{kind}/main/{file.relative_to(ROOT).as_posix()}"
        refuri = f"{address}#{anchor}" if anchor else address
        return nodes.reference("", "", *children, refuri=refuri)
    if file.is_file():
        return addnodes.download_reference("", "", *children, reftarget=path.as_posix())
    return nodes.inline("", "", *children)


def typeset(app, pagename, templatename, context, doctree):
    """Load MathJax where a page has formulas, and only if it is there."""
    context["has_maths_elements"] = context.get("has_maths_elements") and MATHJAX.is_file()


def name_folds(app, pagename, templatename, context, doctree):
    """Let a folded cell be called what it shows: myst-nb's label says less than its text."""
    label = ' aria-label="Toggle hidden content"'
    context["body"] = context.get("body", "").replace(f"<summary{label}>", "<summary>")


def lead_to_slides(app, pagename, templatename, context, doctree):
    """Lead from a chapter to its deck, by a button at its head."""
    if pagename.startswith("notebooks/") and (name := pagename.split("/")[1]) in DECKS:
        button = {"type": "link", "url": f"../slides/{name}.html", "tooltip": "Slides"}
        button |= {"icon": "fas fa-person-chalkboard", "label": "slides-button"}
        context["header_buttons"].insert(0, button)


languages["en"] = EnglishAndKorean


def setup(app):
    """Register what the book adds to Sphinx."""
    app.connect("source-read", as_book)
    app.connect("source-read", keep_aside)
    app.connect("doctree-read", lead_outside, priority=400)  # before copies are collected
    app.connect("html-page-context", name_folds)
    app.connect("html-page-context", typeset, priority=400)  # before MathJax is
    app.connect("html-page-context", lead_to_slides, priority=600)  # after the theme's buttons
