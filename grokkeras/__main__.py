"""`python -m grokkeras` is the same program as `grokkeras`."""

from grokkeras.cli import main

if __name__ == "__main__":
    main()
