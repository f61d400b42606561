"""Did the system refuse, wholly or in part, and should it have? Detectors that agree decide; the rest is left open."""
