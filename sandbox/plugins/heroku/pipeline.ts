import type { Operation } from "../core/types";
import { type Properties, UNKNOWN } from "../core/values";
import { bridged } from "./bridge";
import type { HerokuClient } from "./client";
import { appId, requireUuid } from "./shared";

async function readPipeline(id: string, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const live = await heroku.call(operation, "GET", `/pipelines/${id}`);
  return { pipelineId: id, name: live.name, owner: { id: live.owner.id, type: live.owner.type } };
}

export const pipeline = bridged(0, {
  token: "heroku:index/pipeline:Pipeline",
  inputs: {
    name: { autoname: { max: 255 } },
    owner: {
      replace: true,
      computed: true,
      fields: { id: { required: true }, type: { required: true, values: ["user", "team"] } },
    },
  },
  outputs: { pipelineId: {} },
  check({ name, owner }) {
    const wrong = typeof name === "string" && name !== UNKNOWN && !/^[a-z][a-z0-9-]{2,29}$/.test(name);
    return [
      ...(wrong ? [{ property: "name", reason: `invalid pipeline name ${name}: ^[a-z][a-z0-9-]{2,29}$` }] : []),
      ...requireUuid({ owner: owner?.id }, "owner", "owner.id"),
    ];
  },
  async create(inputs, heroku, operation) {
    const owner = inputs.owner ?? { id: (await heroku.call(operation, "GET", "/account")).id, type: "user" };
    const { id } = await heroku.call(operation, "POST", "/pipelines", { name: inputs.name, owner });
    return { id, state: await readPipeline(id, heroku, operation) };
  },
  read: (id, _state, heroku, operation) => readPipeline(id, heroku, operation),
  async update({ id, planned, client: heroku, ...operation }) {
    await heroku.call(operation, "PATCH", `/pipelines/${id}`, { name: planned.name });
    return readPipeline(id, heroku, operation);
  },
  async delete(id, _state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/pipelines/${id}`);
  },
  async importId(nameOrId, heroku, operation) {
    const { id } = await heroku.call(operation, "GET", `/pipelines/${nameOrId}`);
    return { id, state: {} };
  },
});

async function readCoupling(id: string, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const live = await heroku.call(operation, "GET", `/pipeline-couplings/${id}`);
  return { pipelineCouplingId: id, appId: live.app.id, pipeline: live.pipeline.id, stage: live.stage };
}

export const pipelineCoupling = bridged(1, {
  token: "heroku:index/pipelineCoupling:PipelineCoupling",
  inputs: {
    appId,
    pipeline: { required: true, replace: true },
    stage: { required: true, replace: true, values: ["review", "development", "staging", "production"] },
  },
  outputs: { pipelineCouplingId: {} },
  check: (inputs) => [...requireUuid(inputs), ...requireUuid(inputs, "pipeline", "pipeline")],
  async create(inputs, heroku, operation) {
    const { id } = await heroku.call(operation, "POST", "/pipeline-couplings", {
      app: inputs.appId,
      pipeline: inputs.pipeline,
      stage: inputs.stage,
    });
    return { id, state: await readCoupling(id, heroku, operation) };
  },
  read: (id, _state, heroku, operation) => readCoupling(id, heroku, operation),
  async delete(id, _state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/pipeline-couplings/${id}`);
  },
});
