"""Names of resources as SageMaker writes them in ARNs."""

_PARTITIONS = (
    ("cn-", "aws-cn"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-isof-", "aws-iso-f"),
)


def partition(region: str) -> str:
    """The partition that a region belongs to."""
    return next((name for prefix, name in _PARTITIONS if region.startswith(prefix)), "aws")


def sagemaker_arn(account: str, region: str, kind: str, name: str) -> str:
    """`arn:aws:sagemaker:REGION:ACCOUNT:KIND/name`, the name in lower case (docs/notes/listing.md)."""
    return f"arn:{partition(region)}:sagemaker:{region}:{account}:{kind}/{name.lower()}"


def log_group_arn(account: str, region: str, group: str) -> str:
    """The ARN of a CloudWatch log group."""
    return f"arn:{partition(region)}:logs:{region}:{account}:log-group:{group}"


def split_s3_uri(uri: str) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key` or `https://bucket/key`; the key may be empty."""
    bucket, _, key = uri.split("://", 1)[1].partition("/")
    return bucket, key
