"""What can be operated: the vocabulary, the Subject protocol and the generic sources."""
