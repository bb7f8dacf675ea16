"""Races against the tutorials that people use, and what other seeds find."""
