"""Reports of a run: terminal, HTML, Markdown, JSON and JUnit, all from a `Summary` and the cases one by one."""
