"""The store's migrations: append-only, applied when a store is opened."""
