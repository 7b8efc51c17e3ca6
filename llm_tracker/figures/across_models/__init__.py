"""The views of the Compare page: each a chart, the numbers behind it, and its sentence."""
