"""The control plane of SageMaker: one module per resource."""
