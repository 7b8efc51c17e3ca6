"""Whether a model fits, and how freed memory goes back to the system."""
