"""The logit lens (nostalgebraist, 2020): of an answer's tokens, and of every position."""
