"""The sentences of the Correction page: what the correction did, against its controls."""
