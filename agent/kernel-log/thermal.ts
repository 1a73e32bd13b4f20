// Too hot: CPUs that throttle themselves, trip points of the thermal zones, hardware monitors.

import { type Fields, type Refined, type Rule, textOf } from './rule.ts'

function refineThrottle(fields: Fields): Refined {
  const normal = /normal/.test(textOf(fields, 'what'))
  return { severity: normal ? 'info' : 'warning', fields: { state: normal ? 'normal' : 'throttled' } }
}

export const thermal: readonly Rule[] = [
  {
    event: 'kernel.thermal',
    severity: 'warning',
    pattern:
      /CPU(?<cpu>\d+): (?<what>(?<scope>Core|Package) (?:temperature|power)(?:\/speed)? (?:above threshold, cpu clock throttled|limit notification|above threshold|\/speed normal|.*normal).*?)(?: \(total events = (?<total>\d+)\))?$/,
    refine: refineThrottle,
  },
  {
    event: 'kernel.thermal',
    severity: 'critical',
    pattern:
      /^(?:thermal (?<hw>thermal_zone\d+): |thermal_sys: |ACPI: )?(?<what>.*(?:[Cc]ritical temperature reached(?: \((?<celsius>-?\d+) C\))?.*|critical temperature shutdown.*|HARDWARE PROTECTION shutdown.*))$/,
    refine: () => ({ fields: { state: 'critical' } }),
  },
  {
    event: 'kernel.thermal',
    severity: 'critical',
    pattern:
      /^(?<driver>[\w-]+) (?<hw>[\w:.-]+): (?<what>.*(?:[Oo]ver-?temperature|[Oo]verheat|thermal (?:shutdown|trip|critical)|emergency shutdown).*)$/,
    refine: () => ({ fields: { state: 'critical' } }),
  },
]
