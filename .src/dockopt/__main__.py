"""Run the command line with ``python -m dockopt``."""

from dockopt.optimizer.cli import main

if __name__ == "__main__":
    main()
