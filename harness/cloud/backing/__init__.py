"""The services behind SageMaker: moto mounted, and the clients that reach them."""
