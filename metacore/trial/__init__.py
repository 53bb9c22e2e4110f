"""Few-shot tasks made by hand: drawn with a pen, photographed, kept in a file, answered by runs."""
