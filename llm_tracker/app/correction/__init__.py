"""The Correction page."""
