"""Reports of a run, all from a `Summary` and the cases one by one.

`evalwright.reports.write` writes files (HTML, Markdown, JSON, JUnit, text); `terminal` prints.
"""
