"""`python -m benchmarks` measures and reports."""

from benchmarks.bench import main

main()
