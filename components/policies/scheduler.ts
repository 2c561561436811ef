import { type PolicyDocument, policyDocument } from "./document";

/** Rights of the scheduler: start this one function, and leave what it could not deliver in the dead letter queue. */
export function schedulerPolicy(functionArn: string, queueArn: string): PolicyDocument {
  return policyDocument(
    { Sid: "StartJob", Effect: "Allow", Action: "lambda:InvokeFunction", Resource: functionArn },
    { Sid: "KeepUndelivered", Effect: "Allow", Action: "sqs:SendMessage", Resource: queueArn },
  );
}
