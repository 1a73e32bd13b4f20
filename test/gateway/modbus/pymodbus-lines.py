# One store of pymodbus behind a Modbus TCP port, an RTU over TCP port and an RTU serial line, as the argument says:
# `tcp`, `rtu-tcp`, or the path of a serial port. Prints the port, or the path, when it answers.
import asyncio, logging, socket, sys
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import StartAsyncSerialServer, StartAsyncTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer

logging.disable(logging.CRITICAL)
store = ModbusSlaveContext(zero_mode=True, hr=ModbusSequentialDataBlock(0, [n * 7 for n in range(200)]),
                           ir=ModbusSequentialDataBlock(0, [n * 11 for n in range(200)]),
                           co=ModbusSequentialDataBlock(0, [n % 3 == 0 for n in range(2100)]),
                           di=ModbusSequentialDataBlock(0, [n % 4 == 0 for n in range(2100)]))
context = ModbusServerContext(slaves={1: store}, single=False)

async def main(way):
    if way.startswith("/"):
        task = asyncio.create_task(StartAsyncSerialServer(context=context, framer=ModbusRtuFramer, port=way, baudrate=115200))
        await asyncio.sleep(0)
        print(way, flush=True)
        return await task
    free = socket.socket(); free.bind(("127.0.0.1", 0)); port = free.getsockname()[1]; free.close()
    framer = ModbusSocketFramer if way == "tcp" else ModbusRtuFramer
    task = asyncio.create_task(StartAsyncTcpServer(context=context, framer=framer, address=("127.0.0.1", port)))
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            break
        except OSError:
            if task.done(): task.result()
            await asyncio.sleep(0.02)
    print(port, flush=True)
    await task

asyncio.run(main(sys.argv[1]))
