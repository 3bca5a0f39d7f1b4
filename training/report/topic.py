"""Topic: what a section is about, whatever the data allow of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from compiler.errors import InputError

from .contents import Content, Note, Section
from .study import Study

__all__ = ["Topic", "of_sources"]

_T = TypeVar("_T")


@dataclass(frozen=True)
class Topic:
    """A section to be made.

    Attributes
    ----------
    key:
        Its anchor.
    lead:
        What is done here, and how.
    paper:
        What the paper says of it.
    contents:
        What is in it; raises :class:`~compiler.errors.InputError` where the data do not allow it.
    """

    key: str
    title: str
    lead: Callable[[Study], str]
    paper: str
    contents: Callable[[Study], list[Content]]

    def section(self, study: Study) -> Section:
        """The section, or why it is left out."""
        study.tell(self.title)
        contents, left_out = [], ""
        try:
            contents = self.contents(study)
        except InputError as error:
            left_out = f"{error}."
        return Section(self.key, self.title, self.lead(study), self.paper, contents, left_out)


def of_sources(study: Study, compute: Callable[[str], _T]) -> tuple[dict[str, _T], list[Content]]:
    """What is computed of each source by its name, and notes about those whose data do not allow it."""
    found, notes = {}, []
    for name in study.sources:
        try:
            found[name] = compute(name)
        except InputError as error:
            notes.append(Note(f"{name}: {error}.", left_out=True))
    return found, notes
