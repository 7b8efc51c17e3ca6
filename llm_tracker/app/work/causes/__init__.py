"""What the Correction page computes: experiments, and answers with one thing changed."""
