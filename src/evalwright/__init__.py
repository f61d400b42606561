"""Evalwright measures AI features and turns the measurements into release decisions."""
