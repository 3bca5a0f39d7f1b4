"""Page: HTML that is read strictly, for tests of reports."""

from html.parser import HTMLParser

__all__ = ["Page"]

_VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """A page that is read strictly: every element is closed, in the right order, and nothing is loaded.

    Attributes
    ----------
    attributes:
        Of all elements: tag, name, value.
    tables:
        The rows of every table as cells of text, under the heading before it.
    """

    def __init__(self, text: str):
        super().__init__()
        self.open, self.texts, self.attributes = [], [], []
        self.tables: dict[str, list[list[str]]] = {}
        self._heading = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.attributes += [(tag, *attribute) for attribute in attributes]
        assert tag not in ("script", "img", "link", "iframe", "object")
        if tag in ("h2", "h3"):
            self._heading = ""
        if tag == "tr":
            self.tables.setdefault(self._heading, []).append([])
        if tag in ("td", "th"):
            self.tables[self._heading][-1].append("")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.attributes += [(tag, *attribute) for attribute in attributes]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, words):
        if "style" in self.open:
            return
        self.texts.append(words)
        if self.open and self.open[-1] in ("h2", "h3"):
            self._heading += words
        elif "td" in self.open or "th" in self.open:
            self.tables[self._heading][-1][-1] += words

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.texts).split())
