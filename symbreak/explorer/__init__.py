"""The explorer: one page for a browser, without a server, that builds every matrix as it is asked for."""

from symbreak.explorer.choosing import Choice
from symbreak.explorer.page import explorer_of, explorer_page, make_explorer

__all__ = ["Choice", "explorer_of", "explorer_page", "make_explorer"]
