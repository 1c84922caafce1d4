"""What the containers built on Amazon's own algorithm framework share: configuration, log, data, answers.

These are linear-learner, kmeans, pca and their kin; XGBoost is a code base of its own.
"""
