"""SVG as text: elements whose attributes and contents are escaped."""

from html import escape

__all__ = ["CHARACTER_WIDTH", "drawing", "element", "text"]

CHARACTER_WIDTH = 6.7
"""Of a character of the style sheet's monospaced text of 11 pixels, the widest of the usual fonts."""


def element(name: str, *contents: str, **attributes: str | float) -> str:
    """One element around contents that are SVG already; ``class_`` is the attribute class."""
    written = "".join(f' {key.rstrip("_")}="{_value(value)}"' for key, value in attributes.items())
    inside = "".join(contents)
    return f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>"


def text(words: str, **attributes: str | float) -> str:
    """A line of text."""
    return element("text", escape(words), **attributes)


def drawing(width: float, height: float, label: str, *contents: str, class_: str) -> str:
    """A whole picture, with what it shows in words for those who do not see it."""
    return element(
        "svg",
        *contents,
        class_=class_,
        width=width,
        height=height,
        viewBox=f"0 0 {_value(width)} {_value(height)}",
        role="img",
        aria_label=label,
    ).replace(" aria_label=", " aria-label=", 1)


def _value(value: str | float) -> str:
    # Tenths of a pixel are enough, and make a large page a third smaller.
    return escape(value) if isinstance(value, str) else f"{round(value, 1):g}"
