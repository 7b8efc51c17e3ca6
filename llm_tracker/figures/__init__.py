"""A view of a session as one value: its chart, its numbers and its sentence."""
