"""Templates in suite files: plain `{{ input.question }}` substitution, or Jinja in a sandbox when asked for."""

from evalwright.templating.plain import Template, TemplateError, Values, as_text

__all__ = ["Template", "TemplateError", "Values", "as_text"]
