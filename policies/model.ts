/** What a rule is, and how Pulumi's policy server gets to run it. Rules themselves are pure, so that tests call them directly. */
import type { ReportViolation, ResourceValidationPolicy, Severity, StackValidationPolicy } from "@pulumi/policy";

/** What a rule sees of a resource. Both Pulumi's arguments and plain objects of tests have this form. */
export interface Checked {
  type: string;
  name: string;
  urn: string;
  props: Record<string, unknown>;
  opts: { protect: boolean };
  /** Resources that a property's value came from, where Pulumi knows. Only whole stacks have it. */
  propertyDependencies?: Record<string, Checked[]>;
  /** The explicit or default provider. */
  provider?: { props: Record<string, unknown> };
}

/** What a rule may know beside the resources. */
export interface Context {
  /**
   * Whether the stack is there to be destroyed again: a drill, a staging area. Only the stack's tag `usc-pis:rehearsal`
   * (value `true`) says so, or the policy configuration `allowUnprotected`; never a name or a guess.
   */
  rehearsal: boolean;
}

/** One violation. */
export interface Finding {
  urn: string;
  /** What was found, and what was expected. */
  message: string;
}

interface Metadata {
  /** Unique in the pack, kebab-case. */
  name: string;
  /** The promise, in one sentence. */
  description: string;
  /** What to do about a violation. */
  remediation: string;
  severity: Severity;
  /** Row of the requirements that it guards. */
  requirement: string;
}

/** A rule that looks at one resource of certain types. */
export interface ResourceRule extends Metadata {
  types: readonly string[];
  /** What is wrong with the resource, or undefined. */
  check(resource: Checked, context: Context): string | undefined;
}

/** A rule that has to look at several resources. */
export interface StackRule extends Metadata {
  checkStack(resources: readonly Checked[], context: Context): Finding[];
}

export type Rule = ResourceRule | StackRule;

/** Stack tag by which a stack declares that it may be destroyed. */
export const REHEARSAL_TAG = "usc-pis:rehearsal";

interface RunArguments {
  stackTags: ReadonlyMap<string, string>;
  getConfig<T extends object>(): T;
}

export function contextOf(run: RunArguments): Context {
  const configured = run.getConfig<{ allowUnprotected?: boolean }>().allowUnprotected === true;
  return { rehearsal: configured || run.stackTags.get(REHEARSAL_TAG) === "true" };
}

/** All violations of a rule by these resources. */
export function findings(rule: Rule, resources: readonly Checked[], context: Context): Finding[] {
  if ("checkStack" in rule) return rule.checkStack(resources, context);
  return resources
    .filter((resource) => rule.types.includes(resource.type))
    .flatMap((resource) => {
      const message = rule.check(resource, context);
      return message === undefined ? [] : [{ urn: resource.urn, message }];
    });
}

/** The rule as Pulumi runs it. */
export function toPolicy(rule: Rule): ResourceValidationPolicy | StackValidationPolicy {
  const metadata = {
    name: rule.name,
    description: rule.description,
    remediationSteps: rule.remediation,
    severity: rule.severity,
    tags: [rule.requirement],
    enforcementLevel: "mandatory" as const,
    configSchema: { properties: { allowUnprotected: { type: "boolean" as const } } },
  };
  const report = (found: Finding, reportViolation: ReportViolation) =>
    reportViolation(`${found.message}. ${rule.remediation}`, found.urn);
  if ("checkStack" in rule) {
    return {
      ...metadata,
      validateStack: (args, reportViolation) => {
        for (const found of rule.checkStack(args.resources, contextOf(args))) report(found, reportViolation);
      },
    };
  }
  return {
    ...metadata,
    validateResource: (args, reportViolation) => {
      for (const found of findings(rule, [args], contextOf(args))) report(found, reportViolation);
    },
  };
}
