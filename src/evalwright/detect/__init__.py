"""Personal data and secrets in texts: what, where, and how sure; no model, no network, linear time."""

from evalwright.detect.detector import KINDS, Detector
from evalwright.detect.finding import Confidence, Finding

__all__ = ["KINDS", "Confidence", "Detector", "Finding"]
