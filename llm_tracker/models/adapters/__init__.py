"""The adapter contract, and the adapter of last resort that finds a model's parts by itself."""
