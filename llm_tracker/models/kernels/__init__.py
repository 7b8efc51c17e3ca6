"""Faster routines for matrix products on a CPU."""
