// Ends the process, also while a call into the kernel hangs in one of libuv's threads (statfs on a dead NFS server):
// process.exit would wait for that thread as long as the server is away. Another program in its place does not.

export function leave(status: number): never {
  if (process.getActiveResourcesInfo().some(kind => kind.startsWith('FSReq'))) {
    process.execve!(process.execPath, [process.execPath, '-e', `process.exit(${status})`], process.env)
  }
  process.exit(status)
}
