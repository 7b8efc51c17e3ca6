"""`python -m llm_tracker`: the command line."""

import sys

from llm_tracker.cli.main import main

sys.exit(main())
