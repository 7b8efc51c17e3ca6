"""Many texts in one pass, and what is changed in the model while it reads them."""
