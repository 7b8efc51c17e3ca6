"""What the Compare page computes: one conversation on several models, one after the other."""
