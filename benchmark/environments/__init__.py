"""Environments: a Python of its own for each foreign framework, installed from a lock file."""

from benchmark.environments.catalogue import Environments
from benchmark.environments.environment import Environment, EnvironmentState, environment, environments_root
from benchmark.environments.lock_file import LockFile

__all__ = ["Environment", "EnvironmentState", "Environments", "LockFile", "environment", "environments_root"]
