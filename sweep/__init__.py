"""Every family of causal language models in transformers, tried on random weights: docs/models.md is written from it."""
