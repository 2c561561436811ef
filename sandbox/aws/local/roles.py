"""Roles that services of the account take: MiniStack lets them do anything.

Asked as AWS does: the role trusts the service, and its policies, its boundary and those of the resource allow the call.
Like the rest of MiniStack's rights this is looked at with AUTH=true only.
"""

import json

from ministack.core.iam_evaluator import (
    EvalContext,
    _conditions_met,
    _gather_role_policies,
    _permissions_boundary,
    _resource_policy,
    _service_principal_matches,
    combine_resource_policy,
    evaluate,
)
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam


class Denied(Exception):
    """The first thing that the role may not do."""


class Role:
    """A session of a role. @raises Denied when the service can't take it"""

    def __init__(self, arn, service, source):
        """@param source: ARN of what the service works for, which trust policies may name"""
        self.account = get_account_id()
        self.name = arn.rsplit("/", 1)[-1]
        self.service = service
        found = iam._roles.get_scoped(self.account, None, self.name)
        if found is None:
            raise Denied(f"there is no role {arn}")
        if not self._trusts(found, source):
            raise Denied(f"{arn} does not trust {service}")
        self._policies = _gather_role_policies(self.name, self.account)
        self._limits = _permissions_boundary(iam._roles, self.name, self.account)

    def _trusts(self, role, source):
        asked = self._context("sts:AssumeRole", "*", get_region(), {
            "aws:sourceaccount": self.account,
            "aws:sourcearn": source,
        })
        try:
            document = json.loads(role.get("AssumeRolePolicyDocument") or "{}")
        except ValueError:
            return False
        statements = document.get("Statement", [])
        effects = [
            one.get("Effect")
            for one in (statements if isinstance(statements, list) else [statements])
            if _service_principal_matches(one.get("Principal"), self.service)
            and _conditions_met(one.get("Condition", {}), asked)
        ]
        return "Allow" in effects and "Deny" not in effects

    def _context(self, action, resource, region, more):
        return EvalContext(
            principal_arn=f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{self.service.split('.')[0]}",
            principal_type="AssumedRole",
            principal_account=self.account,
            action=action,
            resource_arn=resource,
            region=region,
            secure_transport=True,
            service_context=more,
        )

    def may(self, action, resource, region, context=None, policy=None):
        """@param policy: the resource's own, where it is not found by its ARN alone"""
        asked = self._context(action, resource, region, context or {})
        service = action.partition(":")[0]
        if policy is None:
            policy, _ = _resource_policy(service, resource) or (None, None)
        own = evaluate(asked, self._policies, *self._limits)
        # A key's policy has to allow what it is used for; elsewhere the role's own policies suffice.
        required = service == "kms"
        found = combine_resource_policy(own, asked, policy, self.account, required, tuple(self._limits))
        return found.decision == "Allow"

    def must(self, action, resource, region, **more):
        if not self.may(action, resource, region, **more):
            raise Denied(f"{self.name} may not {action} on {resource}")


def take(arn, service, source):
    """The role, or nothing where rights are not looked at. @raises Denied when the service can't take it"""
    from ministack.app import AUTH

    return Role(arn, service, source) if AUTH else None
