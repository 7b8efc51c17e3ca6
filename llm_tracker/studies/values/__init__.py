"""What a study asks and what it writes down, as values: no model, no torch."""
