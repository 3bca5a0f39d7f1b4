"""Front ends: fitted estimators to forests. Nothing else in the compiler knows scikit-learn or another library.

Each file reads one family of estimators into a :class:`~compiler.frontends.score_model.ScoreModel`, a sum of real leaf
scores; :mod:`~compiler.frontends.registry` finds the file for an estimator.
"""
