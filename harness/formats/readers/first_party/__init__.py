"""linear-learner, kmeans, pca and their kin: containers built on Amazon's own algorithm framework."""
