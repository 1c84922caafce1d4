"""The container contract from outside: the /opt/ml tree, images, and the engines that run them."""
