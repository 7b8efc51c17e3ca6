"""REACH a model: the adapter contract, plug-ins, the catalogue, loading, and the proof that a model is read exactly."""
