import t from 'tap'
import { parseMounts } from '../../agent/mounts.ts'

const parse = (text: string) => parseMounts('/proc/1/mountinfo', Buffer.from(text))

t.test('a mount has its device, root, point, type, source and whether it is read-only', async t => {
  t.strictSame(parse('36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n'), [
    { device: '98:0', root: '/mnt1', point: '/mnt2', type: 'ext3', source: '/dev/root', readOnly: false },
  ])
})

t.test('optional fields may be none or several', async t => {
  for (const fields of ['', 'shared:1 ', 'shared:1 master:2 propagate_from:3 unbindable ']) {
    t.equal(parse(`1 0 8:1 / / rw ${fields}- ext4 /dev/sda1 rw\n`)[0]!.type, 'ext4', fields)
  }
})

t.test('blanks and backslashes in names are told apart from those between', async t => {
  const [mount] = parse('1 0 8:1 /a\\134b /data\\040disk\\011x rw - ext4 /dev/by\\040name rw\n')
  t.match(mount, { root: '/a\\b', point: '/data disk\tx', source: '/dev/by name' })
})

t.test('the file system itself must be read-only, one view of it does not count', async t => {
  t.equal(parse('1 0 8:1 / / ro - ext4 /dev/sda1 rw,relatime\n')[0]!.readOnly, false)
  t.equal(parse('1 0 8:1 / / ro - ext4 /dev/sda1 ro,relatime\n')[0]!.readOnly, true)
  t.equal(parse('1 0 8:1 / / ro - ext4 /dev/sda1 ro\n')[0]!.readOnly, true)
  t.equal(parse('1 0 8:1 / / ro - ext4 /dev/sda1 rootcontext=x\n')[0]!.readOnly, false)
})

t.test('an empty source is one', async t => {
  t.equal(parse('1 0 0:5 / / rw - tmpfs  rw\n')[0]!.source, '')
})

t.test('what is not a mount table is an error that names the file', async t => {
  for (const wrong of ['', '\n', 'x\n', '1 0 8:1 / / rw - ext4 /dev/sda1', '1 0 8:1 / / rw ext4 /dev/sda1 rw\n']) {
    t.throws(() => parse(wrong), /^\/proc\/1\/mountinfo: expected/, JSON.stringify(wrong))
  }
})
