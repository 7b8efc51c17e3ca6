"""Plug-ins: what they may bring, how they are found and checked, and what a refused one did wrong."""
