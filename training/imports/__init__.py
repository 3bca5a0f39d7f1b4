"""Flow records that other tools made, as flows to train on: with the features they carry, all others absent."""
