"""The charts of the Correction page."""
