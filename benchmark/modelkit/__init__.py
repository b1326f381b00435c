"""What models share, in numpy and scipy alone; besides the protocol, all of the engine that adapters see."""
