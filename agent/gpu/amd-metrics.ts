// What an AMD GPU can tell, by `rocm-smi` or its successor `amd-smi`, under the names that NVIDIA's have.

import type { Metric } from '../metric.ts'
import { declaring } from './declaring.ts'

const { gpu, all } = declaring('rocm-smi --json, amd-smi --json')
const clock = ['hw.gpu.clock']
const place = ['hw.sensor_location']

export const amd = {
  utilization: gpu('hw.gpu.utilization', '1', 'part of the time that it was at work at this task', ['hw.gpu.task']),
  memoryLimit: gpu('hw.gpu.memory.limit', 'By', 'size of its memory'),
  memoryUsage: gpu('hw.gpu.memory.usage', 'By', 'memory in use'),
  memoryUtilization: gpu('hw.gpu.memory.utilization', '1', 'part of the memory in use'),
  barLimit: gpu('hw.gpu.bar1.limit', 'By', 'part of its memory that the CPU can see'),
  barUsage: gpu('hw.gpu.bar1.usage', 'By', 'that part in use'),
  gttLimit: gpu('hw.gpu.gtt.limit', 'By', 'memory of the host that it may use'),
  gttUsage: gpu('hw.gpu.gtt.usage', 'By', 'memory of the host that it uses'),
  power: gpu('hw.power', 'W', 'power drawn', ['hw.type']),
  powerLimit: gpu('hw.gpu.power.limit', 'W', 'power limit', ['hw.limit_type']),
  energy: gpu('hw.energy', 'J', 'energy taken so far', ['hw.type'], 'counter'),
  frequency: gpu('hw.gpu.clock.frequency', 'Hz', 'clock as it runs', clock),
  frequencyLimit: gpu('hw.gpu.clock.limit', 'Hz', 'highest clock', clock),
  temperature: gpu('hw.temperature', 'Cel', 'temperature', place),
  fan: gpu('hw.fan.speed', 'rpm', 'speed of the fan'),
  fanRatio: gpu('hw.fan.speed_ratio', '1', 'speed as a part of the highest'),
  voltage: gpu('hw.voltage', 'V', 'core voltage', place),
  lanes: gpu('hw.gpu.pcie.lanes', '{lane}', 'PCIe lanes in use'),
  transferRate: gpu('hw.gpu.pcie.transfer_rate', '{transfer}/s', 'transfers a second on each PCIe lane'),
  errors: gpu(
    'hw.errors',
    '{error}',
    'memory errors, and replays on PCIe',
    ['hw.type', 'error.type', 'hw.gpu.error.location'],
    'counter',
  ),
  xgmi: gpu('hw.gpu.xgmi.errors', '1', 'errors on links to other GPUs: 0 none, 1 one, 2 several since last asked'),
  throttle: gpu('hw.gpu.throttle', '1', 'whether clocks are held down', ['hw.gpu.throttle.reason']),
  info: gpu('hw.gpu.info', '1', 'always 1: what it is, and by what it is driven', [
    'hw.serial_number',
    'hw.vendor',
    'hw.driver_version',
    'hw.firmware_version',
    'hw.gpu.pci_address',
  ]),
} as const

export const amdMetrics: readonly Metric[] = all
