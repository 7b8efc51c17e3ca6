"""Numbers -> alt.Chart; pure functions of frames."""
