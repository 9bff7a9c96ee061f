"""The load generator behind `maim bench` and `benchmarks/`: clients that cost next to nothing."""
