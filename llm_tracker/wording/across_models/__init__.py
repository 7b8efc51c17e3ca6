"""The sentences of the Compare page: one conversation on several models, or on one in several number formats."""
