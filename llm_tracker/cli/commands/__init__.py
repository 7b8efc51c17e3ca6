"""The commands of `llm-tracker`, a module each, found by the module's name.

A command's module has `HELP` (a line), `add_arguments(parser)`, and `run(args)`, which returns the exit status.
"""
