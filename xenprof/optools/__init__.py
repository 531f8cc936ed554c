"""Makes the outputs of opannotate, opgprof, oparchive and opimport."""
