# Two pseudo terminals joined like two serial ports by a cable. Prints the path of each.
import os, select, tty

ends = [os.openpty() for _ in range(2)]
for _, slave in ends: tty.setraw(slave)
print(*(os.ttyname(slave) for _, slave in ends), flush=True)
masters = [master for master, _ in ends]
while True:
    for ready in select.select(masters, [], [])[0]:
        os.write(masters[1 - masters.index(ready)], os.read(ready, 4096))
