"""The emulator, and one thing that it lacks: CloudFormation imports secrets too, not tables alone."""

from ministack.app import main
from ministack.services.cloudformation import provisioners


def import_secret(identifier):
    arn = identifier["Id"]
    name = arn.split(":")[-1].rsplit("-", 1)[0]
    return name, {"Id": arn, "Arn": arn}


provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]["import"] = import_secret
main()
