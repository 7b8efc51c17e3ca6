"""One view a chart, with its sentence, table and explanation."""
