"""The papers' claims and tables, held against results."""
