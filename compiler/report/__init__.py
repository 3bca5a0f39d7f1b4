"""Report: one page about an export, for people; everything on it is from forest.json and manifest.json.

:mod:`~compiler.report.page` gathers what the template shows. The drawings are SVG text made here, so that they are
tested without a browser and need no package.
"""

from .page import DRAWN_TREES, Report, write_report

__all__ = ["DRAWN_TREES", "Report", "write_report"]
