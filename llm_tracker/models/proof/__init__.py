"""The checks that an adapter passes when its model loads, and what each failure means."""
