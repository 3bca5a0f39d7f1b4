"""The score on its range: what is BACKGROUND, what is left UNCERTAIN and what is SPAM."""

from ..forest import Forest
from .svg import drawing, element, text
from .votes import signed

__all__ = ["draw_score"]

_WIDTH, _HEIGHT, _MARGIN = 640, 66, 100
_TOP, _BAR = 22, 20


def draw_score(forest: Forest) -> str:
    """The range of the score as a bar, with the ends of the band above it and those of the range below."""
    (lowest, highest), band = forest.score_range, forest.band
    # A band may reach beyond the range, and a range may be a single score.
    lo, hi = (min(max(end, lowest), highest) for end in band)

    def x(score: int) -> float:
        return _MARGIN + (score - lowest) / max(highest - lowest, 1) * (_WIDTH - 2 * _MARGIN)

    parts = (("background", x(lowest), x(lo)), ("neither", x(lo), x(hi)), ("spam", x(hi), x(highest)))
    return drawing(
        _WIDTH,
        _HEIGHT,
        f"scores from {lowest} to {highest}, band from {band.lo} to {band.hi}",
        *(
            element("rect", class_=kind, x=left, y=_TOP, width=right - left, height=_BAR)
            for kind, left, right in parts
            if right > left
        ),
        element("path", class_="axis", d="".join(f"M{x(end):.1f} {_TOP - 5}v{_BAR + 10}" for end in sorted({lo, hi}))),
        text(f"lo {signed(band.lo)}", x=x(lo) - 3, y=_TOP - 8, class_="end"),
        text(f"hi {signed(band.hi)}", x=x(hi) + 3, y=_TOP - 8, class_="start"),
        text(signed(lowest), x=x(lowest), y=_TOP + _BAR + 17),
        text(signed(highest), x=x(highest), y=_TOP + _BAR + 17),
        class_="score",
    )
