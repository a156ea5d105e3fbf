"""`python -m histvq`."""

from histvq.cli import main

if __name__ == "__main__":
    main()
