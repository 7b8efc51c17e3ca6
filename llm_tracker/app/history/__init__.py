"""The History page: find a conversation, open it again, compare, describe, take along, delete."""
