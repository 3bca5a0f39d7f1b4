"""From a trained forest to a circuit: catalogue, intermediate representation, plan, emission and command line."""
