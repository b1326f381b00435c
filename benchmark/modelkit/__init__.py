"""What models share, in numpy and scipy alone. Adapters may import it; of the engine they see little else."""
