"""Read a text once more for what is not kept while a model answers: in chunks, on demand."""
