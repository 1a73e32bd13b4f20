// Which drives will fail, those at risk first, with the reasons.

import type { DisksAnswer } from '../api/answers.ts'
import { type DiskRisk, type DiskSummary, type DiskView, diskRisks } from '../api/view.ts'
import { read } from './client.ts'
import { percent, whyOf, yearsOf } from './disk-text.ts'
import { figure } from './format.ts'
import { Empty, Failed, Heads, Simulated, toldError, useLoaded } from './parts.tsx'
import { hashOf } from './route.ts'
import { useWords, type Words } from './words.ts'

const refresh = 30_000
const most = 200

export function Disks() {
  const words = useWords()
  const loaded = useLoaded(signal => read<DisksAnswer>('/api/disks', { limit: most }, signal), [], refresh)
  const { value } = loaded
  const error = toldError(loaded)
  return (
    <>
      <h1>{words('disks')}</h1>
      {error && <Failed error={error} />}
      {value === undefined && !error && <p class="empty">{words('loading')}</p>}
      {value && <Summary summary={value.summary} />}
      {value?.disks.length === 0 && (
        <Empty title={words('noDisks')}>
          <p>{words('noDisksDo')}</p>
          <pre>sources: [&#123; type: smart &#125;]</pre>
        </Empty>
      )}
      {value && value.disks.length > 0 && <DiskTable disks={value.disks} />}
      {value?.more && (
        <p class="cut">{words('shownDisks', { shown: value.disks.length, all: value.summary.drives })}</p>
      )}
    </>
  )
}

function Summary({ summary }: { readonly summary: DiskSummary }) {
  const words = useWords()
  const { drives, scored, unknown } = summary
  return (
    <dl class="tiles">
      <div>
        <dt>{words('disks')}</dt>
        <dd>
          {figure(drives)}
          <span class="of">
            <span>{words('scoredDisks', { n: figure(scored) })}</span>
            <span>{words('unknownDisks', { n: figure(unknown) })}</span>
          </span>
        </dd>
      </div>
      {diskRisks.toReversed().map(risk => (
        <div key={risk} class={risk === 'critical' && summary.critical > 0 ? 'wrong' : ''}>
          <dt>{words(risk)}</dt>
          <dd>{figure(summary[risk])}</dd>
        </div>
      ))}
    </dl>
  )
}

/** On a narrow screen the style sheet lays the rows out as cards. */
function DiskTable({ disks }: { readonly disks: readonly DiskView[] }) {
  return (
    <table class="fleet disks">
      <Heads heads={['drive', 'risk', 'node', 'probability', 'powered', 'wornOut', 'why']} />
      <tbody>
        {disks.map(disk => (
          <DiskRow key={disk.id} disk={disk} />
        ))}
      </tbody>
    </table>
  )
}

function DiskRow({ disk }: { readonly disk: DiskView }) {
  const words = useWords()
  const { id, node, device, model, serial, terabytes, hours, wear, simulated } = disk
  return (
    <tr>
      <td class="drive">
        <a href={hashOf({ at: 'disk', disk: id })}>{model ?? id}</a> <Simulated when={simulated} />
        <span class="aside">{[serial, terabytes && `${terabytes} TB`].filter(Boolean).join(' · ')}</span>
      </td>
      <td class="risk">
        <RiskMark risk={disk.risk} />
      </td>
      <td class="node">
        <a href={hashOf({ at: 'node', node, range: '24h', filter: 'physical_disk' })}>{node}</a>{' '}
        <span class="aside">{device}</span>
      </td>
      <td class="probability" data-head={words('probability')}>
        {disk.probability === null ? words('unknown') : percent(disk.probability)}{' '}
        <span class="aside">{trendText(disk, words)}</span>
      </td>
      <td class="powered" data-head={words('powered')}>
        {hours === null ? '–' : words('years', { n: yearsOf(hours) })}
      </td>
      <td class="wornOut" data-head={words('wornOut')}>
        {wear?.at == null ? '' : words.day(wear.at)}
      </td>
      <td class="why">{whyOf(disk)}</td>
    </tr>
  )
}

export function RiskMark({ risk }: { readonly risk: DiskRisk | null }) {
  const words = useWords()
  return risk === null ? null : <span class={`severity ${risk}`}>{words(risk)}</span>
}

export function trendText({ trend }: DiskView, words: Words): string {
  return trend === 'rising' || trend === 'falling' ? words(trend) : ''
}
