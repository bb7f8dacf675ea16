"""The small, boring part of the tutorial notebooks: data, checks, figures and progress.

Nothing that a notebook teaches is hidden in here. Models, losses, gradients and training loops stand in
the notebooks.
"""


class TutorialError(Exception):
    """An error whose message is a sentence for the reader: what happened, with what, and what to do now."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback: the sentence alone."""
        return [f"{type(self).__name__}: {self}"]
