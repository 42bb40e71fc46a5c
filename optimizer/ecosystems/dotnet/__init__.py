""".NET: its projects and solutions, its command line and the models of what it does."""
