"""Classifiers, forecasts and regressions on the same rails as everything else: metrics of the run, with intervals."""
