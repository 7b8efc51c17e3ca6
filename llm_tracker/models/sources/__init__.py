"""Where weights come from: the hub and its cache, GGUF files, checkpoints, digests, code that came along."""
