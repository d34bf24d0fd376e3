"""API Gateway's routes.

SAM writes routes, authorizers and CORS of an HTTP API into an OpenAPI body, which AWS reads and the emulator does
not. So they are made here, over the API, from the body of the template that was deployed: nothing is repeated by
hand, and a route that the template lacks is lacking here too. The body comes of AWS's own translator, given the
stack's parameters as AWS gives them (the emulator gives it none).
"""

import re
from types import SimpleNamespace

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class Gateway:
    def __init__(self, stack):
        self.stack = stack
        self.client = stack.emulator.client("apigatewayv2")
        definition = stack.formation.get_template(StackName=stack.name, TemplateStage="Original")["TemplateBody"]
        no_managed_policies = SimpleNamespace(load=dict)
        self.template = transform(yaml_parse(definition), dict(stack.parameters), no_managed_policies)
        [api] = [part for part in self.template["Resources"].values() if part["Type"] == "AWS::ApiGatewayV2::Api"]
        self.body = api["Properties"]["Body"]
        self.id = stack.outputs["ApiId"]
        self.url = f"{stack.emulator.url}/_aws/execute-api/{self.id}/$default"
        # As functions hear it, and as browsers would be sent to.
        self.domain = f"{self.id}.execute-api.localhost"
        self.routes = self.make_routes()
        self.client.update_api(ApiId=self.id, CorsConfiguration=self.cors())

    def at(self, address):
        """Where an address of the API is on this machine: its name is not known to any name server here."""
        assert address.startswith(f"https://{self.domain}/"), address
        return address.replace(f"https://{self.domain}", self.url)

    def make_routes(self):
        for old in self.client.get_routes(ApiId=self.id)["Items"]:
            self.client.delete_route(ApiId=self.id, RouteId=old["RouteId"])
        for old in self.client.get_integrations(ApiId=self.id)["Items"]:
            self.client.delete_integration(ApiId=self.id, IntegrationId=old["IntegrationId"])
        authorizer = self.authorizer()
        routes = {}
        for path, methods in self.body["paths"].items():
            for method, operation in methods.items():
                key = f"{method.upper()} {path}"
                integration = self.resolve(operation["x-amazon-apigateway-integration"])
                created = self.client.create_integration(
                    ApiId=self.id,
                    IntegrationType="AWS_PROXY",
                    IntegrationUri=re.search(r"functions/(.+)/invocations$", integration["uri"])[1],
                    PayloadFormatVersion=integration["payloadFormatVersion"],
                )
                is_open = operation["security"] == [{"NONE": []}]
                access = {} if is_open else {"AuthorizationType": "JWT", "AuthorizerId": authorizer}
                target = f"integrations/{created['IntegrationId']}"
                self.client.create_route(ApiId=self.id, RouteKey=key, Target=target, **access)
                routes[key] = is_open
        return routes

    def authorizer(self):
        for old in self.client.get_authorizers(ApiId=self.id)["Items"]:
            self.client.delete_authorizer(ApiId=self.id, AuthorizerId=old["AuthorizerId"])
        [(name, scheme)] = self.body["components"]["securitySchemes"].items()
        definition = self.resolve(scheme["x-amazon-apigateway-authorizer"])
        issuer = definition["jwtConfiguration"]
        created = self.client.create_authorizer(
            ApiId=self.id,
            Name=name,
            AuthorizerType="JWT",
            IdentitySource=[definition["identitySource"]],
            JwtConfiguration={"Issuer": issuer["issuer"], "Audience": issuer["audience"]},
        )
        return created["AuthorizerId"]

    def cors(self):
        definition = self.resolve(self.body["x-amazon-apigateway-cors"])
        return {name[0].upper() + name[1:]: value for name, value in definition.items()}

    def resolve(self, value):
        """What CloudFormation's intrinsic functions come to, as far as the body uses them."""
        if isinstance(value, list):
            return [self.resolve(part) for part in value]
        if not isinstance(value, dict):
            return value
        if len(value) != 1 or not (name := next(iter(value))).startswith(("Fn::", "Ref", "Condition")):
            return {name: self.resolve(part) for name, part in value.items()}
        argument = value[name]
        match name:
            case "Ref":
                return self.named(argument)
            case "Condition":
                return self.resolve(self.template["Conditions"][argument])
            case "Fn::If":
                return self.resolve(argument[1 if self.resolve({"Condition": argument[0]}) else 2])
            case "Fn::Sub":
                return re.sub(r"\$\{([^}]+)\}", lambda found: str(self.named(found[1])), argument)
            case "Fn::Split":
                return self.resolve(argument[1]).split(argument[0])
            case "Fn::Equals":
                return self.resolve(argument[0]) == self.resolve(argument[1])
            case "Fn::Not":
                return not self.resolve(argument[0])
        raise NotImplementedError(name)

    def named(self, name):
        pseudo_parameters = {"AWS::Region": "us-east-1", "AWS::Partition": "aws", "AWS::AccountId": "000000000000"}
        if name in pseudo_parameters:
            return pseudo_parameters[name]
        if name.endswith("Function.Arn"):
            function = self.stack.resources[name.removesuffix(".Arn")]
            return f"arn:aws:lambda:us-east-1:000000000000:function:{function}"
        parameter = self.template["Parameters"].get(name)
        return self.stack.parameters.get(name, parameter["Default"]) if parameter else self.stack.resources[name]
