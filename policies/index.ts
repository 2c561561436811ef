/** Entry point of the policy pack: `pulumi preview --policy-pack policies`. Loading it starts a server, so tests don't. */
import { PolicyPack } from "@pulumi/policy";
import { toPolicy } from "./model";
import { RULES } from "./rules";

new PolicyPack("usc-pis", { policies: RULES.map(toPolicy), enforcementLevel: "mandatory" });
