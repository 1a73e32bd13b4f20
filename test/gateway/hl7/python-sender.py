# A sender that nobody here wrote (python3-hl7's MLLPClient): host, port, sender's name, number of messages, time of the
# first, ms. It obeys the acknowledgements: a message is sent until it gets AA, over a new connection if need be.
import sys, time
import hl7
from hl7.client import MLLPClient

host, port, name, count, start = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
client = None
for n in range(count):
    text = f"MSH|^~\\&|{name}|ICU|GW|HOME|{start + n * 10}||ORU^R01^ORU_R01|{n}|P|2.6\rOBX|1|NM|x||{n}\r"
    while True:
        try:
            if client is None:
                client = MLLPClient(host, port)
                client.socket.settimeout(10)
            answer = client.send_message(text)
            if answer.endswith(b"\x1c\r"):
                parsed = hl7.parse(answer.decode().strip("\x0b\x1c\r"))
                if str(parsed.segment("MSA")(1)) == "AA" and str(parsed.segment("MSA")(2)) == str(n):
                    break
        except OSError:
            pass
        if client is not None:
            client.close()
        client = None
        time.sleep(0.02)
print("sent")
