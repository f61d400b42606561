"""Is the answer well formed? JSON, YAML, XML, HTML, CSV, Markdown, Python and SQL are parsed, never run."""
