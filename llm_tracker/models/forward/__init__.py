"""One forward pass: what is read in it and where, attention, KV caches, position ids."""
