"""Pages from templates: what those of all reports share is in this folder, the rest in a folder of theirs."""

from pathlib import Path
from typing import Any

from ..extras import import_extra

__all__ = ["render_page"]

_SHARED = Path(__file__).parent


def render_page(folder: Path, contents: dict[str, Any]) -> str:
    """``page.html.j2`` of a folder, with the style sheet and the macros that are here.

    Everything is escaped but what the template calls safe; a name that ``contents`` lacks is an error.
    """
    jinja2 = import_extra("jinja2", "report", "report")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, _SHARED]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2").render(contents)
