// Node ids as a configuration writes them.

import { matching } from '../../core/shape.ts'

/** As OPC 10000-6, 5.1.12 writes them; `nsu=` names a namespace by its URI, whose index may change with a restart. */
export const nodeIdText = matching(
  /^(ns=\d{1,5};|nsu=[^;\0]{1,1000};)?(i=\d{1,10}|s=[^\0]{1,4096}|g=[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|b=[A-Za-z0-9+/]+=*)$/,
  'a node id such as ns=2;s=Line1.Temperature or nsu=urn:plc:line1;i=1001',
)
