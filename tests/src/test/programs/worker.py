"""Threads, timers and interpreter state that check themselves. Argument: work directory, as for the victims in C."""
import hashlib
import os
import random
import signal
import sys
import threading
import time

directory = sys.argv[1]
failures = []
stopping = threading.Event()
alarms = 0


def path(name):
    return os.path.join(directory, name)


def on_alarm(_signal, _frame):
    global alarms
    alarms += 1


def hasher(seed, counts):
    """Hashes a chain and remembers enough to do it again from the start."""
    digest = hashlib.sha256(str(seed).encode()).digest()
    steps = 0
    while not stopping.is_set():
        digest = hashlib.sha256(digest).digest()
        steps += 1
        if steps % 200 == 0:
            time.sleep(0.001)
    again = hashlib.sha256(str(seed).encode()).digest()
    for _ in range(steps):
        again = hashlib.sha256(again).digest()
    if again != digest:
        failures.append(f"FAIL the chain of thread {seed} has another value after {steps} steps")
    counts[seed] = steps


def shuffler():
    """Keeps a large dictionary in step with a sum."""
    generator = random.Random(5)
    table, total = {}, 0
    while not stopping.is_set():
        for _ in range(100):
            key = generator.randrange(20000)
            value = generator.randrange(1000)
            total += value - table.get(key, 0)
            table[key] = value
        time.sleep(0.001)
    if sum(table.values()) != total:
        failures.append("FAIL the dictionary and its sum differ")


counts = {}
threads = [threading.Thread(target=hasher, args=(seed, counts)) for seed in range(3)]
threads.append(threading.Thread(target=shuffler))
signal.signal(signal.SIGALRM, on_alarm)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
for thread in threads:
    thread.start()
ticks = []
timer = threading.Timer(0.05, lambda: ticks.append(time.monotonic()))
timer.start()
with open(path("pid.tmp"), "w") as file:
    file.write(f"{os.getpid()}\n")
os.rename(path("pid.tmp"), path("pid"))

while not os.path.exists(path("stop")):
    if not timer.is_alive():
        timer = threading.Timer(0.05, lambda: ticks.append(time.monotonic()))
        timer.start()
    time.sleep(0.005)
seen = alarms
deadline = time.monotonic() + 20
while alarms < seen + 3 and time.monotonic() < deadline:
    time.sleep(0.01)
if alarms < seen + 3:
    failures.append("FAIL the interval timer stopped")
stopping.set()
for thread in threads:
    thread.join()
timer.join()
if ticks != sorted(ticks) or not ticks:
    failures.append("FAIL the monotonic clock went backwards or no timer fired")
if len(counts) != 3:
    failures.append("FAIL a thread did not end")
with open(path("result.tmp"), "w") as file:
    file.write("\n".join(failures or ["PASS"]) + "\n")
os.rename(path("result.tmp"), path("result"))
