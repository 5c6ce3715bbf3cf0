"""Tables, figures and pages: what a reader looks at."""
