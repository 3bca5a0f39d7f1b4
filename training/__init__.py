"""From captures and mail logs to a trained forest: labels, flow tables, the ensemble, its operating point."""
