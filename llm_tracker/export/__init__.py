"""Take it along: images, tables, the report, the archive, and the code that gives a view again."""
