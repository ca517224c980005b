import { readFileSync } from 'node:fs';
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1/TriggerAuthentication';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

const FOLDER = new URL('../../../scripts/autoscale/kubernetes/', import.meta.url);
const MODELS = { ScaledObject, TriggerAuthentication, HorizontalPodAutoscaler };

interface Manifest {
  readonly kind: keyof typeof MODELS;
  readonly spec: Record<string, unknown>;
}

function manifests(file: string): Manifest[] {
  const documents = parseAllDocuments(readFileSync(new URL(file, FOLDER), 'utf8'));
  if (!Array.isArray(documents)) throw new Error(`${file} is empty`);
  return documents.map((document) => document.toJS() as Manifest);
}

/** @throws Error when it is not what the schema of its kind says */
function validate(manifest: Manifest): void {
  const Model = MODELS[manifest.kind];
  new Model(manifest as never).validate();
}

test.each([
  ['keda.yaml', ['TriggerAuthentication', 'ScaledObject']],
  ['hpa.yaml', ['HorizontalPodAutoscaler']],
])('%s is what the schemas say', (file, kinds) => {
  const found = manifests(file);
  expect(found.map(({ kind }) => kind)).toEqual(kinds);
  for (const manifest of found) expect(() => validate(manifest)).not.toThrow();
});

test('the schemas are looked at: what is wrong does not pass', () => {
  const [, scaled] = manifests('keda.yaml') as [Manifest, Manifest];
  expect(() => validate({ ...scaled, spec: { ...scaled.spec, triggers: 'none' } })).toThrow(/triggers/);
  const [hpa] = manifests('hpa.yaml') as [Manifest];
  expect(() => validate({ ...hpa, spec: { ...hpa.spec, maxReplicas: 'many' } })).toThrow(/maxReplicas/);
});

test('they name what lc500 publishes', () => {
  const scaling = readFileSync(new URL('../../../gateway/admin/scaling.ts', import.meta.url), 'utf8');
  const [hpa] = manifests('hpa.yaml') as [Manifest];
  const [metric] = hpa.spec['metrics'] as { external: { metric: { name: string } } }[];
  expect(scaling).toContain(`'${metric?.external.metric.name}'`);
  const [, scaled] = manifests('keda.yaml') as [Manifest, Manifest];
  expect(scaled.spec['triggers']).toMatchObject([
    { type: 'metrics-api', metadata: { valueLocation: 'wanted', authMode: 'bearer' } },
  ]);
});
