"""A stratified subset of Fashion-MNIST that travels with the project; LICENSE beside it is Zalando's MIT notice."""
