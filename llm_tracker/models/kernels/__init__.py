"""Faster routines for the products and norms of single rows on a CPU."""
