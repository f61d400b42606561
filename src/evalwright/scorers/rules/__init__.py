"""Rules: exact, contains, regex, JSON Schema, numbers, length, language, citations. No model, no reference data."""
