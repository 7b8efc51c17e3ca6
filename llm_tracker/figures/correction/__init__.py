"""The views of an experiment: each a chart, the numbers behind it, and its sentence."""
