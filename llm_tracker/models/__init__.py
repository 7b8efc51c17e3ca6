"""REACH a model: the adapter contract, plug-ins, the catalogue, loading, built-in weights, and the proof of an adapter."""
