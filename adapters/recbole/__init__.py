"""RecBole 1.2.1 (Zhao 2021, arXiv:2011.01731) behind the protocol; it runs in an environment of its own."""
