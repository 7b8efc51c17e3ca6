"""Keep what happened: session directories."""
