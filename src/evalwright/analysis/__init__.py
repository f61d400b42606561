"""From scores to figures: slices, metrics with intervals, and the bounds gates decide on."""
