"""Plain text as training data: files, made-up sentences, vocabularies."""
