"""Lays out what the site is made of: the tree's Markdown pages and images at their places, links into the source tree as
names of files, and a page of the C++ reference for each room.

    python3 docs/site/stage.py DIRECTORY DOXYGEN_XML

What Doxygen found is tidied: Sphinx does not know designated initialisers, long ones are no help to a reader, and each header's page would describe the one
namespace again.
"""

import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {
    "base": "Types, errors, random streams, threads",
    "chain": "Priors, kernels, stationary laws, sequences",
    "information": "Chi-square information of sets of lags",
    "model": "The transformer and its parameters",
    "population": "Loss, gradient and second derivatives",
    "flow": "Gradient flow and gradient descent",
    "theory": "Predictions and the limiting head",
    "record": "Files",
    "run": "Each command as a function",
}
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


def pages():
    """Markdown pages of the site, relative to the root."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("experiments/*.md"), *ROOT.glob("experiments/*/*.md"), *ROOT.glob("analysis/*.md")]
    return sorted(path.relative_to(ROOT) for path in found)


def relinked(text, page, known):
    """Links to folders with a README become links to that page; those to other files and folders become their names."""

    def link(found):
        words, target = found.groups()
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target) or not path:
            return found[0]
        place = (ROOT / page.parent / path).resolve()
        if not place.exists():
            return found[0]  # left to Sphinx to complain of
        if (place / "README.md").exists():
            path, place = f"{path.rstrip('/')}/README.md", place / "README.md"
        if place.relative_to(ROOT) in known:
            return f"[{words}]({path}{'#' + anchor if anchor else ''})"
        return words if words.startswith("`") else f"`{place.relative_to(ROOT)}`"

    parts = re.split(r"(^```.*?^```)", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if part.startswith("```") else LINK.sub(link, part) for part in parts)


def reference(room, about):
    """A page with all public headers of a room."""
    text = f"# {room}\n\n{about}.\n"
    for header in sorted((ROOT / "include/gihflow" / room).glob("*.hpp")):
        text += f"\n## {header.stem}\n\n`#include \"gihflow/{room}/{header.name}\"`\n\n" \
                f"```{{doxygenfile}} gihflow/{room}/{header.name}\n```\n"
    return text


def tidy(xml):
    for path in xml.glob("*.xml"):
        text = path.read_text()
        tidied = re.sub(r"<initializer>(?:=[^<]*\{\s*\.[^<]*|(?:(?!</initializer>).){100,})</initializer>", "", text, flags=re.DOTALL)
        if path.name == "namespacegihflow.xml":
            head, members, tail = tidied.rpartition("</sectiondef>")
            tidied = head + members + re.sub(r"(<(brief|detailed)description>).*?(</\2description>)", r"\1\3", tail, flags=re.DOTALL)
        if tidied != text:
            path.write_text(tidied)


def main(directory, xml):
    directory = Path(directory)
    tidy(Path(xml))
    known = set(pages())
    for page in known:
        place = directory / page
        place.parent.mkdir(parents=True, exist_ok=True)
        text = relinked((ROOT / page).read_text(), page, known)
        place.write_text(re.sub(r"^( *)```math$", r"\1```{math}", text, flags=re.MULTILINE))
    for image in [*ROOT.glob("docs/images/*"), *ROOT.glob("experiments/*/*.png"), *ROOT.glob("experiments/*/*.svg")]:
        place = directory / image.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, place)
    (directory / "docs/library").mkdir()
    for room, about in ROOMS.items():
        (directory / f"docs/library/{room}.md").write_text(reference(room, about))


if __name__ == "__main__":
    main(*sys.argv[1:])
