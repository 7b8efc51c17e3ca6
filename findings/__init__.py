"""What the models here do under each correction, on our own questions: docs/findings.md, made by one command."""
