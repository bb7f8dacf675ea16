"""What judges the answers to the exercises, one module a notebook, one function an exercise.

Each function prints whether an answer is right, wrong with a hint, or not attempted. They stand here and
not in the notebooks because a judge that one can read gives the answer away.
"""
