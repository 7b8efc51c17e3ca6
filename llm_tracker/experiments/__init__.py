"""What a correction did: the same text run again with something else in it, or with something of the model replaced."""
