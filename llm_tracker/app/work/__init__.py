"""Work that outlives a rerun: jobs, the worker of each model, the visitor's workspace."""
