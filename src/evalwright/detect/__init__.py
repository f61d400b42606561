"""Personal data and secrets in texts: what, where, and how sure; no network, linear time; names by an engine."""

from evalwright.detect.detector import KINDS, Detector
from evalwright.detect.finding import Confidence, Finding
from evalwright.detect.names import NAME_KINDS, Named, NameEngine, load_engine

__all__ = ["KINDS", "NAME_KINDS", "Confidence", "Detector", "Finding", "NameEngine", "Named", "load_engine"]
