"""Many questions, many corrections, several models: what holds beyond one conversation."""
