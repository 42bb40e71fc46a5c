"""No command of C and C++ tools has a model: what they read and write is not known."""
