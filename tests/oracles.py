"""For comparing calibration: answers that are too sure, and a classifier that gives them."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


class Same(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are what it is asked about."""

    def fit(self, X, y):
        self.classes_ = np.arange(X.shape[1])
        return self

    def predict_proba(self, X):
        return X

    def predict(self, X):
        return X.argmax(axis=1)


def overconfident(n, seed=0, sharpness=3.0):
    """Labels drawn from probabilities, and these made too sure."""
    random = np.random.default_rng(seed)
    true = random.dirichlet(np.ones(3), n)
    labels = np.array([random.choice(3, p=p) for p in true])
    sure = true**sharpness
    return labels, sure / sure.sum(axis=1, keepdims=True)
