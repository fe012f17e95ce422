"""`python -m synthpop_gb` runs the command line."""

from synthpop_gb.cli import main

main()
