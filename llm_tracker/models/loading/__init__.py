"""From a typed name to a loaded and proved model; the models in memory."""
