# One store of pymodbus behind a Modbus TCP port, an RTU over TCP port and an RTU serial line, as the argument says:
# `tcp`, `rtu-tcp`, or the path of a serial port. Prints the port, or the path, when it answers.
import asyncio, logging, sys
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusTcpServer, StartAsyncSerialServer
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
    framer = ModbusSocketFramer if way == "tcp" else ModbusRtuFramer
    server = ModbusTcpServer(context, framer=framer, address=("127.0.0.1", 0))
    task = asyncio.create_task(server.serve_forever())
    await server.serving
    port = server.server.sockets[0].getsockname()[1]
    print(port, flush=True)
    await task

asyncio.run(main(sys.argv[1]))
