"""From the rows of a study to rates, means and their intervals: frames in, frames out."""
