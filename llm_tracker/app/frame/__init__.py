"""The frame of every page: sidebar, model picker."""
