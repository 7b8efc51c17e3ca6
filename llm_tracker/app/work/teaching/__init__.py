"""What a class is shown, and what it guesses."""
