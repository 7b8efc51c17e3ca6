"""What the numbers of a study say, in sentences that each chart stands under."""
