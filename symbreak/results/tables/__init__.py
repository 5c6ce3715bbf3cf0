"""Tables: Dataset in, DataFrame out."""
