"""The project's own 120 questions, CC0: questions.csv, described in docs/questions.md."""
