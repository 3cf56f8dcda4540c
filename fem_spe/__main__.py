"""`python -m fem_spe` is the command line."""

from fem_spe.cli import main

main()
