"""C and C++: build tools that are recognised, so that a refusal can say why nothing can be done."""
