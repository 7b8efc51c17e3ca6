"""What seeing inside costs, measured in pairs. How to run it and how to read the figures: benchmarks/README.md."""
