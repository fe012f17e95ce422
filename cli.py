"""Run the command line from a checkout: `python cli.py run inputs/leeds-2011.toml`."""

from synthpop_gb.cli import main

if __name__ == "__main__":
    main()
