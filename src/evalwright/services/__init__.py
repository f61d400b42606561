"""Use cases: the only place that wires the stages together."""
