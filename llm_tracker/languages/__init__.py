"""The interface's texts: written in English where they are said, and here in every other language.

`messages.pot` has all of them, `de/` and `es/` their translations and the documents of that language.
"""
