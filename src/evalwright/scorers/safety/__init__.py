"""Detectors of what an attack leaves behind, by rules alone.

Markers in disguise, active content, links that carry data away, control characters, and the oracle of an attack.
"""
