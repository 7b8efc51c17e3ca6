"""READ a Trace: lens, attention by word, candidates, before/after. Arrays in, numbers out."""
