"""What the Study page computes: many questions, each answered and corrected in several ways, on one model or two."""
