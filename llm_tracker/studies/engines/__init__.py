"""Who does the work of a study: this machine, or Ray."""
