"""What outlives the process: the store as pages and workers reach it."""
