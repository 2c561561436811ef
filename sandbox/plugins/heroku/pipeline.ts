import type { Operation, ResourceType } from "../core/types";
import type { Properties } from "../core/values";
import type { HerokuClient } from "./client";
import { appId, requireUuid } from "./shared";

async function readPipeline(id: string, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const live = await heroku.call(operation, "GET", `/pipelines/${id}`);
  return { id: live.id, pipelineId: live.id, name: live.name, owner: { id: live.owner.id, type: live.owner.type } };
}

export const pipeline: ResourceType<HerokuClient> = {
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
  stateFromCreate: true,
  check({ name }) {
    if (typeof name !== "string" || /^[a-z][a-z0-9-]{2,29}$/.test(name)) return [];
    return [{ property: "name", reason: `invalid pipeline name ${name}: expected ^[a-z][a-z0-9-]{2,29}$` }];
  },
  async create(inputs, heroku, operation) {
    const owner = inputs.owner ?? { id: (await heroku.call(operation, "GET", "/account")).id, type: "user" };
    const { id } = await heroku.call(operation, "POST", "/pipelines", { name: inputs.name, owner });
    operation.created(id);
    const { id: _, ...state } = await readPipeline(id, heroku, operation);
    return { id, state };
  },
  read: (id, _state, heroku, operation) => readPipeline(id, heroku, operation),
  async update({ id, news, client: heroku, ...operation }) {
    await heroku.call(operation, "PATCH", `/pipelines/${id}`, { name: news.name });
    const { id: _, ...state } = await readPipeline(id, heroku, operation);
    return state;
  },
  async delete(id, _state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/pipelines/${id}`);
  },
};

async function readCoupling(id: string, heroku: HerokuClient, operation: Operation): Promise<Properties> {
  const live = await heroku.call(operation, "GET", `/pipeline-couplings/${id}`);
  return { pipelineCouplingId: live.id, appId: live.app.id, pipeline: live.pipeline.id, stage: live.stage };
}

export const pipelineCoupling: ResourceType<HerokuClient> = {
  token: "heroku:index/pipelineCoupling:PipelineCoupling",
  inputs: {
    appId,
    pipeline: { required: true, replace: true },
    stage: { required: true, replace: true, values: ["review", "development", "staging", "production"] },
  },
  outputs: { pipelineCouplingId: {} },
  stateFromCreate: true,
  check: requireUuid,
  async create(inputs, heroku, operation) {
    const { id } = await heroku.call(operation, "POST", "/pipeline-couplings", {
      app: inputs.appId,
      pipeline: inputs.pipeline,
      stage: inputs.stage,
    });
    operation.created(id);
    return { id, state: await readCoupling(id, heroku, operation) };
  },
  read: (id, _state, heroku, operation) => readCoupling(id, heroku, operation),
  async delete(id, _state, heroku, operation) {
    await heroku.call(operation, "DELETE", `/pipeline-couplings/${id}`);
  },
};
