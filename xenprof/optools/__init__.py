"""What opannotate, opgprof, oparchive and opimport make."""
