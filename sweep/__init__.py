"""Every family of causal language models in transformers, tried on random weights. It writes docs/models.md."""
