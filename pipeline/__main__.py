"""`python -m pipeline` and the command `schoolgate`."""

from pipeline.cli import main

if __name__ == "__main__":
    main()
