import { help } from './help-en.ts'
import type { Texts } from './texts.ts'

const counted = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`

export const en: Texts = {
  help,
  said: {
    seeHelp: command => `Try: ${command}`,
    unknownCommand: (word, known) => `unknown command ${JSON.stringify(word)}; known are ${known}`,
    unknownCommandNear: (word, near) => `unknown command ${JSON.stringify(word)}; did you mean ${near}?`,
    unknownSource: (word, known) => `unknown source ${JSON.stringify(word)}; known are ${known}`,
    unknownSourceNear: (word, near) => `unknown source ${JSON.stringify(word)}; did you mean ${near}?`,
    needsOptions: (type, lacks) => `source ${type} does not go without options; give --config FILE\n${lacks}`,
    noSources: file => `${file} is a collector's; it has no sources`,
    onlyListens: name => `source ${name} only listens: there is nothing to read once; --live shows what comes`,
    nothingRead: origins =>
      origins === ''
        ? 'No data: there is nothing of it on this machine.'
        : `No data: this machine shows nothing of it in ${origins}.`,
    column: { name: 'name', attributes: 'attributes', value: 'value', unit: 'unit', age: 'age', quality: 'quality' },
    quality: { good: 'good' },
    waiting: 'Nothing has come yet.',
    moreRows: count => `... and ${count} more`,
    ctrlC: 'Ctrl-C ends.',
    twoConfigurations: file =>
      `there are FIELDLINE_* variables and ${file}: give --config to take the file, or remove one of them`,
    configRight: (file, daemon, sources, uplinks) =>
      daemon === 'collector'
        ? `${file}: right, for a collector`
        : `${file}: right, for ${daemon === 'agent' ? 'an agent' : 'a gateway'} with ${counted(sources, 'source')} and ${counted(uplinks, 'uplink')}`,
    running: (daemon, address) => `${daemon}: running, ${address}`,
    notRunning: (daemon, address, trouble) => `${daemon}: does not answer at ${address} (${trouble})`,
    metricsOff: 'metrics: off in its configuration',
    spoolThere: (file, size, time) => `its spool ${file} has ${size}, last written ${time}`,
    whatToDo: (daemon, config) =>
      `See why:  journalctl -u fieldline-${daemon} -n 50\nStart it: systemctl start fieldline-${daemon}\n` +
      `or here:  fieldline ${daemon}${config === undefined ? '' : ` --config ${config}`}`,
    orderKey: file => `${file} holds no private Ed25519 key in PEM`,
    orderArgument: word => `${JSON.stringify(word)}: expected NAME=VALUE, such as value=1`,
    orderDone: result => `done: ${result}`,
    orderRefused: reason => `refused, not done: ${reason}`,
    orderUnknown: reason => `unknown whether it was done: ${reason}`,
    orderUnheard: node =>
      `nothing was heard from ${node} in time: is it connected to this broker, and has it orders: configured? It is unknown whether it was done.`,
    hl7Verbs: 'hl7 what? Known are send and aside',
    hl7Address: word => `--to: expected mllp://host:port or mllps://host:port, got ${JSON.stringify(word)}`,
    hl7Tls: '--ca, --cert and --key need an address that begins with mllps://',
    hl7TriesWrong: word => `--tries: expected a whole number from 1, got ${JSON.stringify(word)}`,
    hl7Tries: count => `(${count} tries)`,
    hl7Sent: (accepted, all) => `${counted(all, 'message')}, ${accepted} accepted`,
    hl7NothingAside: 'Nothing was kept aside.',
    noDrives: 'smartctl finds no disks here.',
    unexpected: word => `unexpected ${JSON.stringify(word)}`,
    notACollector: file => `${file} is not the configuration of a collector`,
    disksMost: word => `--most ${word}: expected a whole number from 1 to 9999`,
    disksNone: 'No drive was told of yet: the agents need the source smart (docs/smart.md).',
    disksNoSuch: id => `the collector knows no drive ${id}`,
    disksRead: time => `last read ${time}`,
    disksYears: years => `${years} y`,
    disksUnknown: 'unknown',
    disksRisk: { watch: 'watch', warning: 'warning', critical: 'CRITICAL' },
    disksTrend: { rising: 'rising', steady: 'steady', falling: 'falling', unknown: '-' },
    disksSummary: ({ drives, scored, unknown, gone, watch, warning, critical }, more) =>
      `${counted(drives, 'drive')}: ${scored} scored, ${unknown} unknown, ${gone} gone; ` +
      `${critical} critical, ${warning} warning, ${watch} to watch${more ? '; --most shows more' : ''}`,
    disksColumns: {
      risk: 'risk',
      node: 'node',
      device: 'device',
      model: 'model',
      serial: 'serial',
      size: 'size',
      age: 'age',
      probability: 'fails in 30 d',
      trend: 'trend',
      worn: 'worn out',
      why: 'why',
      count: 'count',
      value: 'now',
      first: 'at first',
      grownAt: 'grew last',
      day: 'day',
    },
    simulated: {
      press: 'The PLC is simulated and marked so everywhere; this host is real.',
      plant: 'Both PLCs are simulated and marked so everywhere: a press over Modbus, a filling line over OPC UA.',
      ward: 'All devices are simulated and marked so everywhere: two monitors over HL7, a signal lamp over Modbus.',
    },
    plantFromCheckout:
      'the scene plant needs the package node-opcua, which a checkout of Fieldline has: npm start -- --scene plant',
    scene: {
      pressHeats: 'simulated press: its oil overheats',
      pressCools: 'simulated press: its oil is as it should be again',
      sensorFails: 'simulated line: the sensor of the valve fails',
      sensorWorks: 'simulated line: the sensor of the valve works again',
      spo2Falls: (bed, percent) => `simulated monitor ${bed}: SpO2 falls to ${percent} %`,
      spo2Recovers: bed => `simulated monitor ${bed}: SpO2 is as it should be again`,
      pressureRises: (bed, millimetres) =>
        `simulated monitor ${bed}: systolic pressure rises to about ${millimetres} mmHg`,
      pressureRecovers: bed => `simulated monitor ${bed}: systolic pressure is as it should be again`,
      lampOn: ms => `simulated lamp: on, ${ms} ms after the first message with such a value was sent`,
      lampOff: 'simulated lamp: off',
      event: (name, text) => `event    ${name}  ${text}`,
      findingOpens: (rule, message) => `finding  ${rule}: ${message}`,
      findingEnds: rule => `finding  ${rule}: over`,
    },
    probeSilent: (unit, reason) => `Unit ${unit} does not answer: ${reason}`,
    probeNobody: 'Nobody answers. Are address, port, unit id and, on a serial line, baud and parity right? Try --scan.',
    probeProgress: (asked, of, answer) => `${asked} of ${of} unit ids asked, ${answer} answer`,
    probeUnits: units => `These unit ids answer: ${units}`,
    probeEveryUnit: 'Every unit id is answered: there is one device, which does not look at it.',
    probeFirstUnits: most => `Looking into the first ${most} of them.`,
    probeUnit: unit => `Unit ${unit} answers.`,
    probeIdentity: identity => `It calls itself: ${identity}`,
    probeNoIdentity: 'It says nothing of itself (function 43/14).',
    probeSunspec: (base, models) => `It is a SunSpec device: map at ${base}, models ${models}.`,
    probeNothing: 'At none of the usual addresses there is anything to read: see its manual.',
    probeColumns: { table: 'table', addresses: 'addresses', values: 'values' },
    probeNext: 'Next: save this as gateway.yaml, then: fieldline test device --config gateway.yaml',
    probeTemplates: 'or a template such as sdm630: docs/modbus.md',
    browsing: (visited, variables) => `${visited} nodes seen, ${counted(variables, 'variable')} among them`,
    browsed: (url, visited, variables) =>
      `${url}: ${counted(visited, 'node')} seen, ${counted(variables, 'variable')} among them`,
    browseLeft: {
      depth: 'There is more below: --depth goes deeper.',
      nodes: 'There is more: 150,000 nodes are the most. Begin further inside with --from.',
      time: 'There is more: the time is over. Begin further inside with --from.',
    },
    browseRefused: nodes => `The server does not tell what lies below ${counted(nodes, 'node')}.`,
    browseSaved: file => `Written to ${file}. Check it: fieldline check ${file}`,
    fileExists: file => `${file} exists already`,
    demoPortTaken: port => `Port ${port} is taken; the page is on a free one.`,
    demoPage: url => `The page is at ${url}  (Ctrl-C ends)`,
    demoLine: (perSecond, spooled, committed, p99, findings) =>
      `${perSecond} samples/s read  ${spooled} envelopes spooled  ${committed} samples committed  p99 ${p99}  ${findings} open findings`,
    demoSummary: ({ read, committed, waiting, lost, duplicated }) =>
      `${read} samples read, ${committed} committed, ${lost} lost, ${duplicated} stored twice` +
      (waiting > 0 ? `; ${waiting} wait in the spools for the next start` : ''),
  },
}
