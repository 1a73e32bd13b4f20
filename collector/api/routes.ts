// THE list of routes, one entry each: what `server.ts` serves and `openapi.ts` describes.

import { given } from './given.ts'
import { answers, diskDetail, feedback, node, type Schema } from './schemas.ts'

export interface Route {
  readonly path: string
  /** `get` if absent. */
  readonly method?: 'post' | 'delete'
  /** What is sent along, JSON. */
  readonly body?: Schema
  readonly summary: string
  readonly params?: Schema
  readonly querystring?: Schema
  readonly answer: Schema
  /** Besides 200 and, where anything can be given, 400. */
  readonly failures?: Readonly<Record<number, string>>
  /** `application/json` if absent. */
  readonly contentType?: string
}

export const routes = {
  nodes: { path: '/api/nodes', summary: 'Every node that ever reported, with its state.', answer: answers.nodes },
  node: {
    path: '/api/nodes/:node',
    summary: 'One node.',
    params: given.node,
    answer: node,
    failures: { 404: 'No such node.' },
  },
  series: {
    path: '/api/series',
    summary: 'Series that have data, by node, name and attributes.',
    querystring: given.series,
    answer: answers.series,
  },
  query: {
    path: '/api/query',
    summary:
      'Values over a window, down-sampled into equal buckets. Minima and maxima are exact; means and rates have nine significant digits.',
    querystring: given.query,
    answer: answers.query,
  },
  findings: {
    path: '/api/findings',
    summary: 'What is or was going wrong: open ones first, then the newest first.',
    querystring: given.findings,
    answer: answers.findings,
  },
  incidents: {
    path: '/api/incidents',
    summary: 'Findings that belong together: open ones first, then those that began last.',
    querystring: given.incidents,
    answer: answers.incidents,
  },
  incident: {
    path: '/api/incidents/:incident',
    summary: 'One incident, with its evidence, what to chart of it, and its time line.',
    params: given.incident,
    answer: answers.incident,
    failures: { 404: 'No such incident.' },
  },
  feedback: {
    path: '/api/feedback',
    summary: 'What was called "not a problem", the newest first.',
    answer: answers.feedback,
  },
  notAProblem: {
    path: '/api/feedback',
    method: 'post',
    summary: 'Calls an incident or a finding "not a problem": its patterns open no incident any more.',
    body: given.about,
    answer: feedback,
    failures: { 403: 'The request comes from a page of another origin.' },
  },
  takeBack: {
    path: '/api/feedback/:feedback',
    method: 'delete',
    summary: 'Takes it back.',
    params: given.feedback,
    answer: answers.taken,
    failures: { 403: 'The request comes from a page of another origin.', 404: 'No such feedback.' },
  },
  events: {
    path: '/api/events',
    summary: 'Events of nodes, the newest first.',
    querystring: given.events,
    answer: answers.events,
  },
  disks: {
    path: '/api/disks',
    summary: 'Drives, those at risk first: how likely each fails within 30 days and why, when flash is worn out.',
    querystring: given.disks,
    answer: answers.disks,
  },
  disk: {
    path: '/api/disks/:disk',
    summary: 'One drive, with its counts and the history of its score.',
    params: given.disk,
    answer: diskDetail,
    failures: { 404: 'No such drive.' },
  },
  live: {
    path: '/api/live',
    summary: 'Server-sent events: one message a second with the vitals and what changed since the message before.',
    answer: answers.tick,
    failures: { 503: 'Too many clients follow already.' },
    contentType: 'text/event-stream',
  },
  document: { path: '/api/openapi.json', summary: 'This document.', answer: answers.document },
  health: { path: '/healthz', summary: 'Answers while the collector serves.', answer: answers.health },
} as const satisfies Readonly<Record<string, Route>>
