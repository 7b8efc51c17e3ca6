"""The Teach page: lessons, and the projector."""
