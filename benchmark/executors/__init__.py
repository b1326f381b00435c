"""Where requests run: ``executor`` is the seam, ``local`` runs them in child processes of this machine."""
