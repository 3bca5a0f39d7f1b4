"""Report: the paper's tables and figures redrawn on labelled flows, as one page for people and as pictures.

A section a file. :mod:`~training.report.study` computes by the modules of the other commands, each thing once;
:mod:`~training.report.page` gathers the sections and writes them.
"""

from .page import PAGE, check_report_target, write_report
from .study import Study, StudySource, read_study_source

__all__ = ["PAGE", "Study", "StudySource", "check_report_target", "read_study_source", "write_report"]
