"""What an experiment is about and what it found: values without a model, and their records."""
