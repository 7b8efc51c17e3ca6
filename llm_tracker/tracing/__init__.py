"""RUN a model: conversation -> prompt (ids, words, roles), decoding, recorder, Trace."""
