"""Reports of a run, all from a `Summary` and the cases one by one.

`evalwright.reports.door` writes files (HTML, Markdown, JSON, JUnit, text); `terminal` and `casetext` print.
"""
