"""The charts of the Compare page: a line, or a bar, for each model, called by its letter."""
