"""The store: sessions in a database, SQLite unless told otherwise. Knows neither torch nor a model."""
