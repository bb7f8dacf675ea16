"""`python -m handouts` makes the handouts."""

from handouts.make import main

main()
