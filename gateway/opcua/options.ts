// What a configuration may say of an OPC UA server and its nodes.

import { matching, object, optional, text } from '../../core/shape.ts'

const node = object({
  name: text,
  node: matching(/^(ns=\d{1,5};|nsu=[^;]+;)?[isgb]=.+$/s, 'a node id such as ns=2;s=Line1.Temperature'),
  unit: optional(text, '1'),
})

export type NodeOptions = ReturnType<typeof node.read>

export const opcUaOptions = object({
  url: matching(/^opc\.tcp:\/\/[^\s@]+$/, 'an address such as opc.tcp://192.168.0.20:4840'),
})

export type OpcUaOptions = ReturnType<typeof opcUaOptions.read>
