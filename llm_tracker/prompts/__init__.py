"""Conversation -> Prompt: recipes, chat templates, words, tokens."""
