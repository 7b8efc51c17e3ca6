"""The figures of a study: chart, numbers and sentence as one value."""
