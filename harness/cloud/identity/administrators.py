"""The keys that work without being made first: those of tests, and the session of `harness env`.

None of them is a secret: they mean nothing outside a local cloud.
"""

from harness.cloud.identity.keys import Key

ACCOUNT = "123456789012"

# `harness env` hands out an assumed role's session, as a notebook or Studio has one: the SDK's
# `get_execution_role()` reads the role from it. Of a role with this name the SDK knows the path
# (`service-role/`) without asking IAM (sagemaker.session.Session.get_caller_identity_arn).
SESSION_ROLE_NAME = "AmazonSageMaker-ExecutionRole-20200101T000000"
SESSION_NAME = "SageMaker"
SESSION_KEY = "ASIAEXAMPLEHARNESS00"
SESSION_SECRET = "harness/local/cloud/EXAMPLEKEY0000000000"
SESSION_TOKEN = "harness-local-cloud-session-token-EXAMPLE"

_SESSION = Key(
    secret=SESSION_SECRET,
    session_token=SESSION_TOKEN,
    account=ACCOUNT,
    principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{SESSION_ROLE_NAME}/{SESSION_NAME}",
    administrator=True,
)


def _user(name: str) -> Key:
    return Key(
        secret=name,
        session_token=None,
        account=ACCOUNT,
        principal_arn=f"arn:aws:iam::{ACCOUNT}:user/{name}",
        administrator=True,
    )


# The conventions of LocalStack's documentation (test/test) and of moto's (testing/testing).
_ADMINISTRATORS = {SESSION_KEY: _SESSION, "test": _user("test"), "testing": _user("testing")}


def find_administrator(access_key_id: str) -> Key | None:
    """The built-in administrator with this access key id."""
    return _ADMINISTRATORS.get(access_key_id)
