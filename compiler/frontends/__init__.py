"""Front ends: fitted scikit-learn estimators to forests. Nothing else in the compiler knows scikit-learn."""
