"""Numbers -> sentences and labels."""
