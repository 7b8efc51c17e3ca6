"""One conversation as several models had it: what each read and answered, side by side."""
