"""What a report may be told besides the run itself."""

from __future__ import annotations

import msgspec

from evalwright.core.media import Contents
from evalwright.core.result import Summary
from evalwright.reports.text import MAX_TEXT


class ReportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Choices for a report; every format uses the ones that concern it.

    Attributes:
        baseline: An earlier run of the same suite; its figures stand beside the new ones, each with its own interval.
            They are not compared: that is what the comparison report does, case by case.
        max_passed: Cases that did not fail which an HTML report shows (all of them stay in the run).
        max_text: Characters of one field an HTML report shows before it is cut with a notice.
        max_chars: Length of a Markdown report at most; pull request comments allow 65,536 characters.
        junit_files: Write the suite file as `file` on each JUnit test case; GitLab reads it, strict readers of the
            newer `xunit2` family refuse it.
        media: Where the content of pictures, sound and documents lies; an HTML report describes them only when None.
        reports: Where other reports of the run were written: format to path.
    """

    baseline: Summary | None = None
    max_passed: int = 500
    max_text: int = MAX_TEXT
    max_chars: int = 65_000
    junit_files: bool = True
    media: Contents | None = None
    reports: dict[str, str] = {}
